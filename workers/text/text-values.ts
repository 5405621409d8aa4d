/** The publication of the text store, as a source of `HeadValues`. */

import { TEXT_RESTORED_GAP } from '../../shared/limits/text.ts';
import type { HeadText } from '../../shared/release/head.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { ControlEnv, Secrets } from '../env.ts';
import { warn } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { PutValue } from '../storage/head-publication.ts';
import type { HeadValuesSource } from '../storage/head-values.ts';
import type { TextKeeper, TextUpdate } from '../storage/text-port.ts';
import { restoreReleases } from './restore.ts';
import type { TextTables } from './tables.ts';

export class TextValues implements HeadValuesSource<TextUpdate> {
  readonly #env: Pick<ControlEnv, 'COORDINATOR' | 'LISTS'>;
  readonly #tables: TextTables;

  constructor(env: Pick<ControlEnv, 'COORDINATOR' | 'LISTS'>, tables: TextTables) {
    this.#env = env;
    this.#tables = tables;
  }

  get #coordinator(): TextKeeper {
    return this.#env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as TextKeeper;
  }

  get version(): number {
    return this.#tables.publication.version;
  }

  readHead(): ReturnType<TextKeeper['text']> {
    return this.#coordinator.text();
  }

  async start(head: HeadText | null, secrets: Secrets): Promise<void> {
    const { publication, releases, campaigns } = this.#tables;
    const before = publication.version;
    if (head === null || head.version <= before) return;
    // Changes may have been made before the first publication.
    const isUnpublished = publication.publishedVersion === 0;
    const isLost = isUnpublished && releases.current === null && releases.candidate === null;
    const found = isLost ? await restoreReleases(head, this.#tables, this.#env.LISTS, secrets) : {};
    publication.restart(head.version + TEXT_RESTORED_GAP);
    campaigns.restart(Date.now());
    warn('textRestored', { before, version: publication.version, ...found });
  }

  make(keys: ListKeys, put: PutValue): Promise<TextUpdate> {
    return this.#tables.publication.make(keys, put);
  }

  put(update: TextUpdate): ReturnType<TextKeeper['putText']> {
    return this.#coordinator.putText(update);
  }

  setPublished({ head, unwritten, named }: TextUpdate): void {
    const { values, releases, publication } = this.#tables;
    values.setWritten(unwritten);
    releases.setWritten(unwritten);
    releases.setNamed(named);
    values.removeReplaced();
    publication.setPublished(head.version);
  }
}
