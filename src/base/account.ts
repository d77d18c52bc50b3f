/**
 * A namespace of subjects: what has the same name in two accounts is not the same. All that a thread finds by a subject of its clients it finds
 * by account and subject, and records that name a subject name the account, too. Clients are of the main account.
 */
export const mainAccount = 0;

/** The account in which the broker tells of itself: who logs in as its user, and nobody else, hears that and asks (decisions/0096). */
export const systemAccount = 1;

/** What NATS calls them. */
export const mainAccountName = '$G';
export const systemAccountName = '$SYS';

export function accountName(account: number): typeof mainAccountName | typeof systemAccountName {
  return account === systemAccount ? systemAccountName : mainAccountName;
}
