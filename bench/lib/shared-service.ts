/**
 * The service that the HTTP benchmarks share, because building and pushing a list takes a while. Only one
 * service runs at a time; another list size replaces it. The baseline Workers run in the same process.
 */
import { type Installation, startInstallation } from '../simulation/installation.ts';
import { BASELINE_WORKERS } from './baseline-workers.ts';
import type { BenchOptions } from './options.ts';
import { SampleNumbers } from './sample-numbers.ts';

interface SharedService extends Installation {
  readonly samples: SampleNumbers;
  readonly count: number;
}

let current: SharedService | null = null;

/** @param count how many numbers are listed */
export async function sharedService(count: number, options: BenchOptions): Promise<SharedService> {
  if (current?.count === count) return current;
  await stopSharedService();
  const samples = new SampleNumbers(count, options);
  const installation = await startInstallation({ suspended: samples.listed, beside: BASELINE_WORKERS });
  current = { ...installation, samples, count };
  return current;
}

/** Call this after all benchmarks, even if one failed. */
export async function stopSharedService(): Promise<void> {
  const stopping = current;
  current = null;
  await stopping?.stop();
}
