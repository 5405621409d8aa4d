/** The Durable Object that keeps the feed: a chain of events about numbers and sender IDs. There is one. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { FeedObject } from '../storage/feed-port.ts';

export class FeedStore extends DurableObject<ControlEnv> implements FeedObject {
  async poke(): Promise<void> {}
}
