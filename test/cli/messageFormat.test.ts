import type { Msg } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { formatMessage, type MessageStyle } from '../../src/cli/messageFormat.js';

const message = (payload: string): Msg =>
  ({ subject: 'a', data: Buffer.from(payload), string: () => payload }) as unknown as Msg;

const text = (payload: string, style: Partial<MessageStyle>): string =>
  formatMessage(message(payload), { form: 'text', withHeaders: false, withSubject: false, isTerminal: false, ...style })
    .map((part) => Buffer.from(part as string).toString())
    .join('');

describe('a message', () => {
  it('cannot command a terminal', () => {
    expect(text('\u001b[2J\u009b\r\tx', { isTerminal: true })).toBe('\\x1b[2J\\x9b\\x0d\tx\n');
  });

  it('is left alone in a file or a pipe, and with --raw', () => {
    expect(text('\u001b[2J', {})).toBe('\u001b[2J\n');
    expect(text('\u001b[2J', { form: 'raw', isTerminal: true })).toBe('\u001b[2J');
  });

  it('has a coloured subject on a terminal only', () => {
    expect(text('x', { withSubject: true })).toBe('[a] x\n');
    expect(text('x', { withSubject: true, isTerminal: true })).toBe('\u001b[36m[a]\u001b[39m x\n');
  });
});
