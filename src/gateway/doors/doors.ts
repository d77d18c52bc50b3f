import type { Work } from '../../base/work.js';
import { type ConnectOptions, defaultConnectOptions } from '../../protocol/connectOptions.js';
import { jsonDialects } from '../../protocol/jsonDialect.js';
import { natsDialect } from '../../protocol/natsDialect.js';
import { opcode } from '../../protocol/webSocketFrame.js';
import type { Commands } from '../commands/commands.js';
import type { GatewayLimits } from '../options.js';
import type { Door, DoorName } from './door.js';
import { JsonReader } from './jsonReader.js';
import { NatsReader } from './natsReader.js';

/** JSON lines are answered only where a command has an id, and take headers. */
const jsonOptions: ConnectOptions = {
  ...defaultConnectOptions,
  verbose: false,
  headers: true,
  lang: 'jsonl',
};

/** The doors of one gateway. */
export function makeDoors(limits: GatewayLimits, commands: Commands, work: Work): Readonly<Record<DoorName, Door>> {
  const dialects = jsonDialects(Date.now);
  const nats = { dialect: natsDialect, reader: new NatsReader(limits, commands, work), options: defaultConnectOptions };
  const jsonl = {
    dialect: dialects.text,
    reader: new JsonReader(limits, commands, dialects, work),
    options: jsonOptions,
  };
  return {
    nats: { ...nats, name: 'nats', frameOpcode: 0 },
    jsonl: { ...jsonl, name: 'jsonl', frameOpcode: 0 },
    'nats-websocket': { ...nats, name: 'nats-websocket', frameOpcode: opcode.binary },
    'jsonl-websocket': { ...jsonl, name: 'jsonl-websocket', frameOpcode: opcode.text },
  };
}
