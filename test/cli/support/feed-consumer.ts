/** A consumer of a fake feed: a folder, and pulls into it, as separate processes would make them. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openVerifiers, readFeedKeys } from '../../../cli/feed/keys.ts';
import { Puller } from '../../../cli/feed/puller.ts';
import { FeedSource } from '../../../cli/feed/source.ts';
import type { PartyEntry } from '../../../shared/feed/entry.ts';
import { BLOCK, type FakeFeed } from './fake-feed.ts';
import { FOLDER, write } from './workspace.ts';

export interface Consumer {
  readonly folder: string;
  /** A pull like that of a new process. @param requests after which the connection breaks */
  puller(requests?: number): Promise<Puller>;
}

export function consumerOf(feed: FakeFeed): Consumer {
  const folder = mkdtempSync(join(FOLDER, 'pull-'));
  const puller = async (requests = Number.POSITIVE_INFINITY): Promise<Puller> => {
    const jwk = write(`${folder.slice(FOLDER.length + 1)}/jwk.json`, JSON.stringify(feed.jwk));
    const source = new FeedSource({ url: feed.url, clientKey: 'reader.key', patienceMs: 0 });
    let left = requests;
    feed.replace = () => (left-- > 0 ? undefined : null);
    return new Puller({
      ...{ source, folder },
      keys: feed.isEncrypted ? await readFeedKeys(jwk) : null,
      verifiers: await openVerifiers([feed.signer.verifierKey]),
    });
  };
  return { folder, puller };
}

/** @param index selects a number or sender ID, and one subject */
export function entryOf(index: number): PartyEntry {
  const party =
    index % 4 === 0 ? { number: null, source: `SHOP-${index}` } : { number: `+8210${20_000_000 + index}` };
  return { ...BLOCK, ...party, subject: index % 2 === 0 ? 'from' : 'to' };
}
