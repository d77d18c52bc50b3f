import { describe, expect, it } from 'vitest';
import { type BrokerOptions, diffOptions, reloadOptions, resolveOptions } from '../../src/broker/options.js';

const resolve = (given: Partial<BrokerOptions>) => resolveOptions(given);

describe('diffOptions', () => {
  it('finds nothing between equals', () => {
    expect(diffOptions(resolve({ topics: ['a'] }), resolve({ topics: ['a'] }))).toEqual({ changed: [], refused: [] });
  });

  it('parts what can change while running from what cannot', () => {
    const after = resolve({ topics: ['a', 'b'], logLevel: 'debug', port: 1, shards: 200, pingMax: 7 });
    expect(diffOptions(resolve({ topics: ['a'] }), after)).toEqual({
      changed: ['topics', 'pingMax', 'logLevel'],
      refused: ['port', 'shards'],
    });
  });
});

describe('reloadOptions', () => {
  it('takes the one and keeps the other', () => {
    const { options, changed, refused } = reloadOptions(resolve({}), resolve({ pingMax: 7, port: 1 }));
    expect(options).toEqual(resolve({ pingMax: 7 }));
    expect({ changed, refused }).toEqual({ changed: ['pingMax'], refused: ['port'] });
  });

  it('refuses to leave an open socket without credentials', () => {
    const running = resolve({ host: '0.0.0.0', token: 't' });
    expect(() => reloadOptions(running, resolve({}))).toThrow('0.0.0.0 is open to the network without credentials');
  });
});
