import { describe, expect, it } from 'vitest';
import type { BrokerOptions } from '../../src/options/brokerOptions.js';
import { diffOptions, reloadOptions, resolveOptions } from '../../src/options/options.js';

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

  it('changes what it names and nothing else', () => {
    const running = resolve({ pingMax: 7, maxPayloadBytes: 1000, topics: ['a'] });
    const { options, changed } = reloadOptions(running, { pingMax: 8, topics: undefined });
    expect(options).toEqual({ ...running, pingMax: 8 });
    expect(changed).toEqual(['pingMax']);
    expect(reloadOptions(running, {})).toEqual({ options: running, changed: [], refused: [] });
  });

  it('takes null for what may be none', () => {
    const { options, changed } = reloadOptions(resolve({ token: 't' }), { token: null });
    expect({ token: options.token, changed }).toEqual({ token: null, changed: ['token'] });
  });

  it('refuses what it does not know, with a suggestion, and values that are not allowed', () => {
    const running = resolve({});
    expect(() => reloadOptions(running, { pingMx: 3 } as never)).toThrow(
      'there is no option "pingMx"; did you mean "pingMax"?',
    );
    expect(() => reloadOptions(running, { pingMx: undefined } as never)).toThrow('there is no option "pingMx"');
    expect(() => reloadOptions(running, { pingMax: 'x' } as never)).toThrow('pingMax: "x" is not allowed');
    for (const given of [null, undefined, 7])
      expect(() => reloadOptions(running, given as never)).toThrow('must be an object');
  });

  it('refuses to leave an open socket without credentials', () => {
    const running = resolve({ host: '0.0.0.0', token: 't' });
    expect(() => reloadOptions(running, resolve({}))).toThrow('0.0.0.0 is open to the network without credentials');
  });
});
