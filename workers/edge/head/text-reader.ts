/**
 * The text release and the campaigns as this isolate knows them. Nothing is loaded until the first request with a text,
 * which waits. Afterwards they follow the head in the background, and are replaced as a whole. An idle isolate may be
 * far behind. If requests had to wait for the head, requests with a text also wait for what it names.
 *
 * A failed load holds up nothing. A release is used only with all its values; otherwise the last good one stays.
 * Release and campaigns change independently. Before the first good release, layers that cannot be loaded are left out.
 * A refused value is logged once, and `/healthz` names it.
 */
import { HEALTH_RETRY_MS, RUN_BACKOFF_MS } from '../../../shared/limits/edge.ts';
import type { HeadText, NamedValue } from '../../../shared/release/head.ts';
import { CampaignTable } from '../../../shared/text/campaign-table.ts';
import { HostTable } from '../../../shared/text/host-table.ts';
import { TextModel } from '../../../shared/text/model.ts';
import { NO_TEXT, type PublishedText } from '../../../shared/text/published.ts';
import { READING_BYTES } from '../../../shared/text/text.ts';
import { parseTextIndex, type TextIndex } from '../../../shared/text/text-index.ts';
import type { TextManifest } from '../../../shared/text/text-manifest.ts';
import { SingleFlight } from '../../storage/single-flight.ts';
import { servesCanary } from './canary-share.ts';
import type { LoadContext } from './head-sources.ts';
import { type Held, TextLoad, type TextProblem } from './text-load.ts';

/** The parts of a release that could be loaded. */
type ReleaseParts = Pick<PublishedText, 'release' | 'model' | 'hosts'>;
const NO_RELEASE: ReleaseParts = { release: null, model: null, hosts: null };

interface LoadedRelease {
  readonly parts: ReleaseParts;
  /** Whether the release has all its values, so that it may replace a good release. */
  readonly isWhole: boolean;
  /** Whether its host lists are missing, so that allowed hosts are unknown. */
  readonly lacksHosts: boolean;
}

/** A host table, with the number of lists in the manifest that it was read for. */
interface HeldHosts extends Held<HostTable> {
  readonly lists: number;
}

export class TextReader {
  /** What the newest head names for texts; null if no head has named anything. */
  #named: HeadText | null = null;
  #published = NO_TEXT;
  /** The last release with all its values; null if none was loaded, or the last one was withdrawn. */
  #good: ReleaseParts | null = null;
  /** Whether a request with a text, or `/healthz`, needs them. */
  #isWanted = false;
  /** The index that was last loaded or refused: its key, its version, and when, in ms since 1970. */
  #triedIndex: string | null = null;
  #triedVersion = 0;
  #triedAt = 0;
  #problems: readonly TextProblem[] = [];
  /** Whether the published values may be older than requests accept. */
  #isLate = false;
  /** When requests wait again after a wait that timed out, in ms since 1970. */
  #waitsFrom = 0;
  #index: Held<TextIndex> | null = null;
  #model: Held<TextModel> | null = null;
  #hosts: HeldHosts | null = null;
  #campaigns: Held<CampaignTable> | null = null;
  readonly #flight = new SingleFlight();
  readonly #changed: () => void;

  /** @param changed called when the memory use changes */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Bytes in memory; 0 before they are needed. */
  get bytes(): number {
    if (!this.#isWanted) return 0;
    const { model, hosts, campaigns } = this.#published;
    const listed = campaigns.count === 0 ? 0 : campaigns.bytes;
    return READING_BYTES + (model?.model.bytes ?? 0) + (hosts?.table.bytes ?? 0) + listed;
  }

  /**
   * Call when a head becomes current.
   * @param named what the head names; null removes nothing
   * @param isLate whether the previous head may be older than requests accept
   */
  follow(named: HeadText | null, isLate: boolean, loadContext: LoadContext): void {
    if (named !== null) this.#named = named;
    if (!this.#isWanted || !this.#isDue()) return;
    this.#isLate ||= isLate;
    this.#refresh(loadContext);
  }

  /** The values to screen a text with. The first requests, and those after an idle time, wait at most LOAD_WAIT_MS for them. */
  async published(loadContext: LoadContext): Promise<PublishedText> {
    this.#want();
    if (!this.#isDue()) return this.#published;
    const mustWait = (): boolean => this.#triedIndex === null || this.#isLate;
    if (mustWait() && Date.now() >= this.#waitsFrom) await this.#wait(loadContext, () => !mustWait());
    else this.#refresh(loadContext);
    return this.#published;
  }

  /** The refused values, after loading what is due: for `/healthz`. */
  async problems(loadContext: LoadContext): Promise<readonly TextProblem[]> {
    this.#want();
    if (this.#isDue()) await this.#wait(loadContext, () => !this.#isDue());
    return this.#problems;
  }

  #want(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#changed();
  }

  /** Whether the head names something new, or it is time to retry refused values. */
  #isDue(): boolean {
    if (this.#named === null) return false;
    if (this.#named.index.key !== this.#triedIndex) return true;
    return this.#problems.length > 0 && Date.now() - this.#triedAt >= HEALTH_RETRY_MS;
  }

  #refresh(loadContext: LoadContext): void {
    this.#flight.refresh(() => this.#load(loadContext), loadContext.ctx);
  }

  async #wait(loadContext: LoadContext, done: () => boolean): Promise<void> {
    try {
      await this.#flight.wait(() => this.#load(loadContext), done, loadContext.ctx);
    } catch {
      this.#waitsFrom = Date.now() + RUN_BACKOFF_MS;
    }
  }

  async #load(loadContext: LoadContext): Promise<void> {
    const { version, index: named } = this.#named!;
    const load = new TextLoad(loadContext);
    const index = this.#index?.key === named.key ? this.#index : await load.value(named, parseTextIndex);
    const loaded = index === null ? null : await this.#loadAll(index, load);
    // A later load may have finished first. Readers never go back to an older version.
    if (version < this.#triedVersion) {
      this.#triedIndex = named.key;
      this.#triedAt = Date.now();
      return;
    }
    if (loaded !== null) {
      const { release, key } = loaded;
      // Without host lists, use no campaigns: a campaign never blocks a text whose only hosts are on an allow list.
      const campaigns = release.lacksHosts ? CampaignTable.EMPTY : loaded.campaigns;
      if (release.isWhole) this.#good = release.parts.release === null ? null : release.parts;
      this.#index = index;
      this.#published = { version, ...release.parts, campaigns, key };
      this.#changed();
    }
    if (named.key === this.#named?.index.key) this.#isLate = false;
    load.log(this.#problems);
    this.#problems = load.problems;
    this.#triedVersion = version;
    this.#triedIndex = named.key;
    this.#triedAt = Date.now();
  }

  async #loadAll({ key, value: index }: Held<TextIndex>, load: TextLoad) {
    const [release, campaigns, fingerprintKey] = await Promise.all([
      this.#release(index, key, load),
      this.#campaignTable(index, load),
      load.fingerprintKey(index.campaigns !== null),
    ]);
    return { release, campaigns, key: fingerprintKey };
  }

  /** The release for this data centre. Falls back to the release in force, and then to the last good release. */
  async #release({ current, candidate }: TextIndex, key: string, load: TextLoad): Promise<LoadedRelease> {
    const canary = candidate === null ? null : await load.manifest(candidate.manifest, key);
    const isServed =
      canary !== null && servesCanary({ release: canary.release, share: candidate!.share }, load.dataCentre);
    const chosen = isServed ? await this.#parts(canary, load) : null;
    if (chosen?.isWhole === true) return chosen;
    if (current === null && chosen === null) return { parts: NO_RELEASE, isWhole: true, lacksHosts: false };
    const manifest = current === null ? null : await load.manifest(current, key);
    const inForce = manifest === null ? null : await this.#parts(manifest, load);
    if (inForce?.isWhole === true) return inForce;
    const { release, model, hosts } = this.#published;
    if (this.#good !== null) return { parts: this.#good, isWhole: false, lacksHosts: false };
    const published = { parts: { release, model, hosts }, isWhole: false, lacksHosts: hosts === null };
    return inForce ?? chosen ?? published;
  }

  async #parts({ release, model: info, hosts: named }: TextManifest, load: TextLoad): Promise<LoadedRelease> {
    if (info !== null && this.#model?.key !== info.value.key)
      this.#model = (await load.value(info.value, (bytes) => new TextModel(bytes))) ?? this.#model;
    const lists = named?.lists.length ?? 0;
    if (named !== null && (this.#hosts?.key !== named.value.key || this.#hosts.lists !== lists)) {
      const found = await load.value(named.value, (bytes) => new HostTable(bytes, lists));
      if (found !== null) this.#hosts = { ...found, lists };
    }
    const model = info === null ? null : ifNamed(this.#model, info.value);
    const hosts = this.#hosts?.lists === lists ? this.#hosts : null;
    const table = named === null ? null : ifNamed(hosts, named.value);
    return {
      parts: {
        release,
        model: info === null || model === null ? null : { info, model },
        hosts: named === null || table === null ? null : { lists: named.lists, table },
      },
      isWhole: (info === null || model !== null) && (named === null || table !== null),
      lacksHosts: named !== null && table === null,
    };
  }

  /** The confirmed campaigns, or the last table of them that could be loaded. */
  async #campaignTable({ campaigns: named }: TextIndex, load: TextLoad): Promise<CampaignTable> {
    if (named === null) return CampaignTable.EMPTY;
    if (this.#campaigns?.key !== named.key)
      this.#campaigns = (await load.value(named, (bytes) => new CampaignTable(bytes))) ?? this.#campaigns;
    return this.#campaigns?.value ?? CampaignTable.EMPTY;
  }
}

/** The value in memory, if it is the named one. */
function ifNamed<Value>(held: Held<Value> | null, { key }: NamedValue): Value | null {
  return held?.key === key ? held.value : null;
}
