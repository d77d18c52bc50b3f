import type { Codec } from './codec.js';
import { mqttCodec } from './mqtt.js';
import { natsCodec } from './nats.js';
import { redisCodec } from './redis.js';

export type Protocol = 'nats' | 'redis' | 'mqtt';

export const codecs: Readonly<Record<Protocol, Codec>> = { nats: natsCodec, redis: redisCodec, mqtt: mqttCodec };
