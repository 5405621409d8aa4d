/** Changes of text releases: push, promote (to a share of the data centres, or to all), withdraw, roll back. */
import { ok } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import type { TextTables } from './tables.ts';

export class ReleaseChanges {
  readonly #tables: TextTables;
  readonly #env: ControlEnv;

  constructor(tables: TextTables, env: ControlEnv) {
    this.#tables = tables;
    this.#env = env;
  }

  /** Ends the canary, if it is this release: every data centre uses the current release again. */
  withdrawCandidate(request: StoreRequest, release: string): StoreResult<{ readonly release: string }> {
    void this.#env;
    return this.#tables.transact(request, 0, (author) => {
      const { releases, audit, publication } = this.#tables;
      const row = releases.get(release);
      if (row === null) return refuse('TEXT_RELEASE_UNKNOWN', 'no text release has this name');
      if (row.state !== 'candidate')
        return refuse('RELEASE_STATE', `${release} is ${row.state}: only a candidate can be withdrawn`);
      releases.setEnded(release, 'withdrawn');
      const [before, after] = [{ state: row.state, share: row.share }, { state: 'withdrawn' }];
      audit.append(author, release, { action: 'release.withdraw', before, after });
      publication.changed();
      return ok({ release });
    });
  }
}
