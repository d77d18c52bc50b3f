import { mainAccount, mainAccountName, systemAccount, systemAccountName } from '../base/account.js';
import type { SubscriptionReport } from '../base/reports.js';
import type { Sources } from './sources.js';

/** The account of clients, whose the streams are. */
export const account = mainAccountName;

/** The account of that name; null for none, and -1, which is nobody's, where there is none such. */
export function accountNamed(name: string, { facts }: Pick<Sources, 'facts'>): number | null {
  if (name === '') return null;
  if (name === mainAccountName) return mainAccount;
  return facts.hasSystem && name === systemAccountName ? systemAccount : nobody;
}

export const nobody = -1;

/** A subscription as answers show it. */
export function subscriptionDetail({
  connection,
  subject,
  queue,
  sid,
  messages,
  messagesMax,
}: SubscriptionReport): object {
  return {
    subject,
    ...(queue === '' ? {} : { qgroup: queue }),
    sid,
    msgs: messages,
    ...(messagesMax === 0 ? {} : { max: messagesMax }),
    cid: connection,
  };
}
