import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { latin1String } from '../../src/base/bytes.js';
import { demand } from '../../src/base/demand.js';
import { ApiAudience } from '../../src/router/apiAudience.js';
import { RequestLayout } from '../../src/router/requestLayout.js';
import { bodyStart, requestSubject } from '../../src/shard/requestParts.js';
import { RouterUnderTest } from './brokerModel.js';

const create = '$JS.API.CONSUMER.CREATE.S.C.a';

function layingOut(...heard: string[]) {
  const { router } = new RouterUnderTest(0, 2);
  for (const pattern of ['$JS.ACK.*.*.>', '$JS.API.CONSUMER.CREATE.*.>'])
    router.announceService({ pattern, nameToken: -1 }, true);
  for (const subject of heard) router.interest.setPlain(subject, 1, demand.all);
  const layout = new RequestLayout(router, new ApiAudience(router));
  const share = (subject: string) => layout.share(subject, Buffer.from('+ACK'), Buffer.from('inbox'), mainAccount);
  return { layout, share };
}

test("one topic stands for all of a consumer's acknowledgements, and each says what it is of", () => {
  const { layout, share } = layingOut();
  const topics = new Set(
    [1, 2, 3].map((sequence) => {
      const subject = `$JS.ACK.S.C.1.${sequence}.${sequence}.0.0`;
      const topic = share(subject)!;
      const { message } = layout;
      expect(requestSubject(topic, message, 0)).toBe(subject);
      expect(latin1String(message.bytes, bodyStart(topic, message, 0), message.ends[0]!)).toBe('+ACK');
      expect(message.replyText(0)).toBe('inbox');
      return topic;
    }),
  );
  expect(topics.size).toBe(1);
  expect(share(create)).not.toBeNull();
  expect(share('$JS.API.INFO')).toBeNull();
});

test.each([
  ['$JS.ACK.>', '$JS.ACK.S.C.1.1.1.0.0'],
  ['$JS.ACK.S.C.1.1.1.0.0', '$JS.ACK.S.C.1.1.1.0.0'],
  ['$JS.EVENT.ADVISORY.API', create],
])('where somebody listens to %s, %s is a topic of its own', (heard, subject) => {
  expect(layingOut(heard).share(subject)).toBeNull();
});
