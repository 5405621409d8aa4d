/** The Durable Object that keeps the feed: a chain of events about numbers and sender IDs. There is one. */
import { DurableObject } from 'cloudflare:workers';
import { type Failure, fail } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import type { FeedEvents, FeedObject, FeedProblem, FeedStatus } from '../storage/feed-port.ts';

const UNSET: Failure<FeedProblem> = fail('NOT_CONFIGURED', 'SHARING_KEY is not set');

export class FeedStore extends DurableObject<ControlEnv> implements FeedObject {
  async poke(): Promise<void> {}

  async read(): ReturnType<FeedObject['read']> {
    return UNSET;
  }

  async snapshot(): ReturnType<FeedObject['snapshot']> {
    return UNSET;
  }

  async checkpoint(): ReturnType<FeedObject['checkpoint']> {
    return UNSET;
  }

  async epoch(): ReturnType<FeedObject['epoch']> {
    return UNSET;
  }

  async decisions(): ReturnType<FeedObject['decisions']> {
    return UNSET;
  }

  async events(): Promise<FeedEvents> {
    return { events: [], first: 1, last: 0 };
  }

  async status(): Promise<FeedStatus> {
    const none = {
      feed: '',
      epoch: 0,
      position: 0,
      first: 1,
      entries: 0,
      pending: 0,
      waiting: 0,
      unnamed: 0,
    };
    return { isConfigured: false, ...none, lagMs: null };
  }
}
