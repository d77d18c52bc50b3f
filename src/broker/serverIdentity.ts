import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { BrokerOptions } from '../options/brokerOptions.js';
import { apiLevel, natsVersion, type ServerInfo } from '../protocol/info.js';
import { encodeNkey, nkeyPrefix } from '../protocol/nkey.js';
import { packageVersion } from './version.js';

/** What one run of the broker is known by, and what its clients are told of it. */
export class ServerIdentity {
  readonly #id = `S${randomBytes(27).toString('hex').toUpperCase()}`;
  readonly #xkey = curveKey();

  /** @param port where NATS clients are listened to; 0 while nowhere */
  info(options: BrokerOptions, port: number, lameDuck: boolean): ServerInfo {
    const { serverName, maxPayloadBytes, token, user, clientAdvertise, domain } = options;
    return {
      server_id: this.#id,
      server_name: serverName,
      version: natsVersion,
      shardcast: packageVersion(),
      proto: 1,
      go: `node${process.versions.node}`,
      ...(clientAdvertise === null ? { host: options.host, port } : advertised(clientAdvertise, port)),
      headers: true,
      ...(token !== null || user !== null ? { auth_required: true as const } : {}),
      max_payload: maxPayloadBytes,
      api_lvl: apiLevel,
      jetstream: true,
      ...(domain === null ? {} : { domain }),
      xkey: this.#xkey,
      ...(clientAdvertise !== null ? { connect_urls: [clientAdvertise] } : {}),
      ...(lameDuck ? { ldm: true as const } : {}),
    };
  }
}

/** Takes `HOST:PORT` apart; without a port it is the one that is listened to. */
function advertised(address: string, port: number): { host: string; port: number } {
  const { hostname, port: given } = new URL(`tcp://${address}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: given === '' ? port : Number(given) };
}

/** The key's bytes stand at the end of what it is encoded to. As JWK it is not asked for: Node 20 waits for itself when it collects garbage just then. */
function curveKey(): string {
  const { publicKey } = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  return encodeNkey(nkeyPrefix.curve, publicKey.subarray(-curveKeyBytes));
}

const curveKeyBytes = 32;
