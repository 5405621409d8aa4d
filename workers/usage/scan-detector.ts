/**
 * The Durable Object that looks for enumeration by one organisation. It adds up the sketches of all clients of the
 * organisation, for the UTC day and for a longer window, and applies the rules of `detect` when a window has grown. The
 * coordinator gets each detection, and records at most one a day. After a detection, both windows begin again.
 *
 * The sketches are stored from time to time. If the object ends, it loses later sketches, and detects a scan that much
 * later.
 */
import { DurableObject } from 'cloudflare:workers';
import { type Detection, detect } from '../../shared/enumeration/detect.ts';
import { type ScanKey, scanKeyOf } from '../../shared/enumeration/scan-key.ts';
import { mergedSketch, type ScanSketch } from '../../shared/enumeration/scan-sketch.ts';
import {
  ENUMERATION_SETTINGS_MS,
  ENUMERATION_WINDOW_DAYS,
  SKETCH_GROWTH,
  SKETCH_STORED_MS,
} from '../../shared/limits/enumeration.ts';
import { openKeyRing } from '../../shared/set/key-ring.ts';
import { DAY_MS } from '../../shared/time.ts';
import type { UsageScan } from '../../shared/usage/flush.ts';
import type { Env } from '../env.ts';
import { warn, warnFailed } from '../log.ts';
import { COORDINATOR_NAME } from '../storage/coordinator-port.ts';
import type { DetectionRecorder, ScanObject } from '../storage/usage-port.ts';
import { ScanStore } from './scan-store.ts';

/** A sketch of some days. */
interface Window {
  readonly days: number;
  /** Day on which the window began, in days since 1970. */
  from: number;
  sketch: ScanSketch;
  /** Count of numbers in the sketch when the rules were last applied. */
  checked: number;
}

export class ScanDetector extends DurableObject<Env> implements ScanObject {
  readonly #store: ScanStore;
  #key: ScanKey | null = null;
  #keyId = '';
  #windows: readonly Window[] = [];
  /** Whether an alarm will store the windows. */
  #isDirty = false;
  /** The volume that the organisation declared, and when that was read, in ms since 1970. */
  #declared: number | null = null;
  #declaredAt = 0;
  #isChecking = false;
  /** The day of the last recorded detection. The coordinator records no second one on that day. */
  #detectedOn = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new ScanStore(ctx.storage);
    ctx.blockConcurrencyWhile(() => this.#open());
  }

  async #open(): Promise<void> {
    const ring = await openKeyRing(this.env.LIST_KEY ?? '');
    if (!ring.ok) return;
    const { keyId, scanSeed } = ring.value.writer;
    this.#key = scanKeyOf(scanSeed);
    this.#keyId = keyId;
    this.#windows = [1, ENUMERATION_WINDOW_DAYS].map((days) => ({
      ...{ days, from: 0, checked: 0, sketch: mergedSketch(this.#key!) },
    }));
    for (const { days, from, data } of this.#store.load(keyId)) {
      const window = this.#windows.find((candidate) => candidate.days === days);
      if (window === undefined) continue;
      window.from = from;
      window.sketch.add(data);
    }
  }

  async add(organisation: string, scans: readonly UsageScan[]): Promise<void> {
    const now = Date.now();
    const day = Math.floor(now / DAY_MS);
    for (const window of this.#windows) if (day >= window.from + window.days) this.#begin(window, day);
    // Sketches made with another LIST_KEY look at other numbers.
    for (const { sketch, keyId } of scans) {
      if (keyId === this.#keyId) for (const window of this.#windows) window.sketch.add(sketch);
    }
    if (!this.#isDirty) {
      this.#isDirty = true;
      await this.ctx.storage.setAlarm(now + SKETCH_STORED_MS);
    }
    if (this.#isChecking || this.#detectedOn === day) return;
    this.#isChecking = true;
    try {
      await this.#check(organisation, day);
    } catch (error) {
      // The coordinator did not respond: the next sketches try again.
      for (const window of this.#windows) window.checked = 0;
      warnFailed('enumerationNotRecorded', error);
    } finally {
      this.#isChecking = false;
    }
  }

  async #check(organisation: string, day: number): Promise<void> {
    const grown = this.#windows.filter(({ sketch, checked }) => sketch.numbers >= checked * SKETCH_GROWTH);
    if (grown.length === 0) return;
    const coordinator = this.env.COORDINATOR.getByName(COORDINATOR_NAME) as unknown as DetectionRecorder;
    if (Date.now() >= this.#declaredAt + ENUMERATION_SETTINGS_MS) {
      this.#declared = await coordinator.declaredNumbers(organisation);
      this.#declaredAt = Date.now();
    }
    const found: Detection[] = [];
    for (const window of grown) {
      window.checked = window.sketch.numbers;
      const { sketch, days } = window;
      const kinds = detect({ sketch: sketch.data(), days, declaredNumbers: this.#declared });
      found.push(...kinds.filter(({ kind }) => !found.some((known) => known.kind === kind)));
    }
    if (found.length === 0) return;
    const isNew = await coordinator.enumerationDetected(organisation, day, found);
    this.#detectedOn = day;
    for (const window of this.#windows) this.#begin(window, day);
    this.#save();
    if (!isNew) return;
    const counts = Object.fromEntries(found.map(({ kind, count }) => [kind, count]));
    warn('enumerationDetected', { organisation, ...counts });
  }

  #begin(window: Window, day: number): void {
    window.from = day;
    window.checked = 0;
    window.sketch = mergedSketch(this.#key!);
  }

  override async alarm(): Promise<void> {
    // A new object has nothing to store.
    if (this.#isDirty) this.#save();
  }

  #save(): void {
    this.#isDirty = false;
    const stored = this.#windows.map(({ days, from, sketch }) => ({ days, from, data: sketch.data() }));
    this.#store.save(this.#keyId, stored);
  }
}
