import { describe, expect, test } from 'vitest';
import {
  imageGraceMs,
  imageHoldMs,
  imagePatienceMs,
  imagesMax,
  imagesPerConnectionMax,
  imageWindowMessages,
} from '../../src/base/limits.js';
import type { Exchange } from '../../src/exchange/exchange.js';
import {
  type ImageSubscription,
  Images,
  type ImageWait,
  type ImageWindow,
  imageWindow,
} from '../../src/router/images.js';
import type { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';

// Invariants 13 and 20 of docs/INVARIANTS.md.

class Subscriber implements ImageSubscription {
  readonly subject = 'md.>';
  readonly lossy = false;
  readonly heldBytes = 0;
  retired = false;
  readonly queue: string;
  index = 0;
  image: ImageWait | null = null;
  room: ImageWindow | null = { messages: 10, bytes: 1000 };
  done = 0;
  readonly owner: object;

  constructor(owner: object = {}, queue = '') {
    this.owner = owner;
    this.queue = queue;
  }
}

type Told = [string, number, number?];

/** Images of a gateway of which three shards keep last values: what shards are told is written down. */
class Scene {
  readonly told: Told[] = [];
  /** Images that were allowed a window. */
  readonly allowed = new Set<number>();
  readonly images: Images<Subscriber>;

  constructor() {
    const shards = [0, 1, 2].map((shard) => ({
      requestImage: () => this.told.push(['request', shard]),
      cancelImage: () => this.told.push(['cancel', shard]),
      moreImage: (token: number, messages: number) => {
        this.told.push(['more', shard, messages]);
        this.allowed.add(token);
      },
    }));
    const router = { imageShards: () => [0, 1, 2], interest: { touchLocal: () => {} } };
    this.images = new Images(router as unknown as Router, { shards } as unknown as Exchange<Topic>, {
      ownerOf: ({ owner }) => owner,
      roomOf: ({ room }) => room,
      leastRoomOf: () => ({ messages: 1, bytes: 1 }),
      deliverImage: () => {},
      onImageDone: (subscriber) => {
        subscriber.done++;
      },
    });
  }

  /** What has been told since the last time. */
  get news(): Told[] {
    return this.told.splice(0);
  }

  end({ image }: Subscriber): void {
    for (const shard of [...image!.owing]) this.images.onImageEnd(shard, image!.token);
  }

  /** Subscriptions of which each waits for the window behind its first. */
  held(count: number, owner?: object): Subscriber[] {
    return Array.from({ length: count }, () => {
      const subscriber = new Subscriber(owner);
      this.images.requestFirst(subscriber);
      this.images.onImagePause(subscriber.image!.token);
      subscriber.room = null;
      return subscriber;
    });
  }
}

/** Windows that an image takes here, of all shards. */
const imageRounds = 5;

/** Subscribers that take nothing of their images, and one that reads: a round is a turn of the gateway and its shards. */
class Crowd {
  readonly #scene = new Scene();
  readonly #reader = new Subscriber();
  readonly #left = new Map<Subscriber, number>();
  /** Subscribers that wait with their SUB, as a gateway's ingress has them wait. */
  #parked: Subscriber[];

  constructor(underWay: number, before: number, behind: number) {
    const [first, earlier, later] = [underWay, before, behind].map((count) =>
      Array.from({ length: count }, () => new Subscriber()),
    );
    this.#parked = [...first!, ...earlier!, this.#reader, ...later!];
    this.#admit();
    // what they were sent first is not taken, for longer than anybody waits on them
    this.#shardsSend();
    this.#scene.images.goOn(0);
  }

  roundsUntilWhole(): number {
    for (let round = 1; ; round++) {
      this.#admit();
      this.#scene.images.goOn(round * imageGraceMs);
      this.#shardsSend();
      if (this.#reader.done > 0) return round;
    }
  }

  #admit(): void {
    this.#parked = this.#parked.filter((subscriber) => {
      if (!this.#scene.images.hasRoom(subscriber.owner)) return true;
      this.#left.set(subscriber, imageRounds);
      this.#scene.images.requestFirst(subscriber);
      if (subscriber !== this.#reader) subscriber.room = null;
      return false;
    });
  }

  /** Every image that was allowed a window since gets it. */
  #shardsSend(): void {
    const { allowed } = this.#scene;
    for (const [subscriber, left] of this.#left) {
      const token = subscriber.image?.token;
      if (token === undefined || !allowed.delete(token)) continue;
      this.#left.set(subscriber, left - 1);
      if (left > 1) this.#scene.images.onImagePause(token);
      else this.#scene.end(subscriber);
    }
  }
}

describe('windows', () => {
  test('one shard sends at a time, the next window when there is room', () => {
    const { images, told } = new Scene();
    const subscriber = new Subscriber();
    expect(images.requestFirst(subscriber)).toBe(true);
    expect(told.splice(0)).toEqual([...[0, 1, 2].map((shard) => ['request', shard]), ['more', 0, 10]]);
    const { token } = subscriber.image!;
    images.onImagePause(token);
    expect(images.waiting).toBe(true);
    expect(images.goOn(0)).toBe(true);
    expect(told.splice(0)).toEqual([['more', 0, 10]]);
    // a shard whose values were all replaced ends without having been allowed anything
    images.onImageEnd(1, token);
    expect(images.goOn(0)).toBe(false);
    images.onImageEnd(0, token);
    expect(images.goOn(0)).toBe(true);
    expect(told.splice(0)).toEqual([['more', 2, 10]]);
    images.onImageEnd(2, token);
    expect([subscriber.image, subscriber.done, images.size, images.waiting]).toEqual([null, 1, 0, false]);
  });

  test('who does not keep up gets a little each second', () => {
    const scene = new Scene();
    const [slow] = scene.held(1) as [Subscriber];
    scene.news;
    const given = [0, 1, imagePatienceMs - 1, imagePatienceMs, imagePatienceMs + 1, 2 * imagePatienceMs].map(
      (nowMs) => {
        const went = scene.images.goOn(nowMs);
        if (went) scene.images.onImagePause(slow.image!.token);
        return went;
      },
    );
    expect(given).toEqual([false, false, false, true, false, true]);
    expect(scene.news).toEqual([
      ['more', 0, 1],
      ['more', 0, 1],
    ]);
  });

  test('while others wait for room, the image held back longest is no longer waited for', () => {
    const scene = new Scene();
    const held = scene.held(1);
    const goesOn = (nowMs: number): number[] => {
      scene.news;
      scene.images.goOn(nowMs);
      for (const { image } of held) if (image !== null) scene.images.onImagePause(image.token);
      return scene.news.map(([, , messages]) => messages!);
    };
    expect(goesOn(0)).toEqual([]);
    held.push(...scene.held(imagesMax - 1));
    goesOn(1);
    expect(goesOn(imageGraceMs)).toEqual([]);
    expect(scene.images.hasRoom({})).toBe(false);
    // one at a time, all of it; whoever takes something now and then is waited for meanwhile
    for (let i = 0; i < 3; i++) expect(goesOn(imageGraceMs)).toEqual([imageWindowMessages]);
    held[1]!.room = { messages: 7, bytes: 1 };
    expect(goesOn(imageGraceMs + 1).sort((a, b) => a - b)).toEqual([7, imageWindowMessages]);
    // its end makes room: the others are waited for again
    scene.end(held.shift()!);
    expect(goesOn(imageGraceMs + 2)).toEqual([7]);
  });

  test('who takes something now and then gives way in the end', () => {
    const scene = new Scene();
    const held = scene.held(imagesMax);
    const pause = (): void => {
      for (const { image } of held) scene.images.onImagePause(image!.token);
    };
    for (const room of [{ messages: 7, bytes: 1 }, null]) {
      for (const subscriber of held) subscriber.room = room;
      scene.images.hasRoom({});
      scene.images.goOn(0);
      pause();
    }
    for (const subscriber of held) subscriber.room = { messages: 7, bytes: 1 };
    scene.images.goOn(imageHoldMs - 1);
    pause();
    for (const subscriber of held) subscriber.room = null;
    scene.news;
    expect(scene.images.goOn(imageHoldMs - 1)).toBe(false);
    expect(scene.images.goOn(imageHoldMs)).toBe(true);
    expect(scene.news).toEqual([['more', 0, imageWindowMessages]]);
  });

  test.each([1, 8, 100, 1000])('who reads waits for one unread image, if %i more come behind it', (behind) => {
    expect(new Crowd(imagesMax, 0, behind).roundsUntilWhole()).toBeLessThanOrEqual(2 * imageRounds);
  });

  test.each([1, 8, 100, 1000])('who reads waits for those before it, one after the other: %i', (before) => {
    const rounds = new Crowd(imagesMax, before, 0).roundsUntilWhole();
    expect(rounds).toBeLessThanOrEqual((before + 2) * (imageRounds + 1));
  });

  test('a window is what the policy keeps beside what waits, and one message at least', () => {
    const policy = { policy: 'drop-old', maxMessages: 100, maxBytes: 10_000, maxDrops: 0, by: 'subject' } as const;
    expect(imageWindow(policy, { count: 40, bytes: 4_000 })).toEqual({ messages: 60, bytes: 3_000 });
    expect(imageWindow(policy, { count: 200, bytes: 20_000 })).toEqual({ messages: 1, bytes: 1 });
    expect(imageWindow(policy, null)).toEqual({ messages: 100, bytes: 5_000 });
  });
});

describe('room', () => {
  test('an owner has a share, all together have a bound', () => {
    const scene = new Scene();
    const owner = {};
    scene.held(imagesPerConnectionMax, owner);
    expect(scene.images.hasRoom(owner)).toBe(false);
    expect(scene.images.hasRoom({})).toBe(true);
    scene.held(imagesMax - imagesPerConnectionMax);
    expect(scene.images.hasRoom({})).toBe(false);
  });

  test('who asks again is queued: owners are served in turn, and half of the room is left to others', () => {
    const scene = new Scene();
    const [greedy, modest] = [{}, {}];
    const many = Array.from({ length: 3 * imagesPerConnectionMax }, () => new Subscriber(greedy));
    for (const subscriber of many) expect(scene.images.requestAgain(subscriber)).toBe(true);
    expect(many.filter(({ image }) => image !== null)).toHaveLength(imagesPerConnectionMax);
    const others = scene.held(imagesMax / 2 - imagesPerConnectionMax);
    const one = new Subscriber(modest);
    expect(scene.images.requestAgain(one)).toBe(true);
    expect(scene.images.requestAgain(one)).toBe(false);
    expect([one.image, scene.images.hasRoom({})]).toEqual([null, true]);
    // the first room that comes free is the modest one's, however many the greedy one has before it
    scene.end(others[0]!);
    expect(one.image).not.toBe(null);
    scene.end(many[0]!);
    expect(many.filter(({ image }) => image !== null)).toHaveLength(imagesPerConnectionMax);
  });

  test('a subscription that ends takes its request back, from shards or from the queue', () => {
    const scene = new Scene();
    const owner = {};
    const [first] = scene.held(imagesPerConnectionMax, owner) as [Subscriber];
    const queued = new Subscriber(owner);
    scene.images.requestAgain(queued);
    scene.images.cancel(queued);
    expect([queued.done, scene.images.size]).toEqual([1, imagesPerConnectionMax]);
    scene.news;
    scene.images.onImageEnd(1, first.image!.token);
    scene.images.cancel(first);
    expect(scene.news).toEqual([
      ['cancel', 0],
      ['cancel', 2],
    ]);
    expect([first.done, first.image, scene.images.hasRoom(owner)]).toEqual([1, null, true]);
    // the end of one is told once
    scene.images.cancel(first);
    expect(first.done).toBe(1);
  });

  test('members of groups get none', () => {
    const scene = new Scene();
    const member = new Subscriber({}, 'group');
    expect([scene.images.requestFirst(member), scene.images.requestAgain(member)]).toEqual([false, false]);
    expect(scene.news).toEqual([]);
  });
});
