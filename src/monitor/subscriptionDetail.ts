import type { SubscriptionReport } from '../base/reports.js';

/** NATS's name of the only account there is. */
export const account = '$G';

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
