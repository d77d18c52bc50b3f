import { nowText } from '../base/timeText.js';
import { type Answer, answerWith } from './answer.js';
import type { Sources } from './sources.js';

// A broker has no peers: these answer as a nats-server does that has none.

export function routez({ facts }: Sources): Answer {
  const { server_id, server_name } = facts.info;
  return answerWith({ server_id, server_name, now: nowText(), num_routes: 0, routes: [] });
}

export function gatewayz({ facts }: Sources): Answer {
  const { server_id } = facts.info;
  return answerWith({ server_id, now: nowText(), outbound_gateways: {}, inbound_gateways: {} });
}

export function leafz({ facts }: Sources): Answer {
  const { server_id } = facts.info;
  return answerWith({ server_id, now: nowText(), leafnodes: 0, leafs: [] });
}
