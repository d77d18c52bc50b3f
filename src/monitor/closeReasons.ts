/** What a connection that has ended is said to have ended for, in nats-server's words, where it has some. */
export function closeReason(reason: string): string {
  return reasons.get(reason) ?? reason;
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['client closed the connection', 'Client Closed'],
  ['connection closed', 'Client Closed'],
  ['client error', 'Client Closed'],
  ['Authorization Violation', 'Authentication Failure'],
  ['Slow Consumer', 'Slow Consumer (Pending Bytes)'],
  ['Parser Error', 'Parse Error'],
  ['Unknown Protocol Operation', 'Parse Error'],
  ['maximum control line exceeded', 'Maximum Control Line Exceeded'],
  ['Maximum Payload Violation', 'Maximum Message Payload Exceeded'],
  ['maximum connections exceeded', 'Maximum Connections Exceeded'],
  ['message headers not supported', 'Missing Header Support'],
  ['no responders requires headers support', 'No Responders Requires Headers'],
  ['invalid client protocol', 'Bad Client Protocol Version'],
  ['server shutdown', 'Server Shutdown'],
]);
