/**
 * A namespace of subjects: what has the same name in two accounts is not the same. All that a thread finds by a subject of its clients it finds
 * by account and subject, and records that name a subject name the account, too. There is one account for now.
 */
export const mainAccount = 0;
