/** Partners of the benchmarks and their reports. All numbers and reporters differ. */
import { newKey } from '../../cli/secrets.ts';
import { makeReporter, type Reporter, type SpamReport } from '../../examples/node/client.ts';

/** Sends a change to control, as `root`. */
type Put = (path: string, body: object) => Promise<unknown>;

export interface BenchPartner {
  readonly id: string;
  readonly reporter: Reporter;
}

interface PartnerOptions {
  readonly kind: string;
  readonly slices?: number;
  readonly reportsPerDay?: number;
}

/** Adds a partner with its own client. @param url of control */
export async function addPartner(
  put: Put,
  url: string,
  id: string,
  options: PartnerOptions,
): Promise<BenchPartner> {
  const organisation = { id, displayName: id, partner: options };
  await put(`organisations/${id}`, { organisation, reason: 'bench' });
  const { key, secretSha256 } = await newKey(id);
  const client = { id, organisation: id, secretSha256: [secretSha256], rights: ['report'] };
  await put(`clients/${id}`, { client, reason: 'bench' });
  // A benchmark kills the service meanwhile. It is back after seconds.
  const reporter = makeReporter({ url, key, retries: 1_000, timeoutMs: 60_000, deadlineMs: 1_800_000 });
  return { id, reporter };
}

/**
 * A mobile number of the benchmarks. No two are in the same block of 1,000, so none of them is a range.
 * @param index below 80,000
 */
export function reportedNumber(index: number): string {
  return `+8210${20_000_000 + index * 1_009}`;
}

/** @param index of the report, unique in the benchmark */
export function reportOf(index: number, from: string, reporter: number): SpamReport {
  return {
    ...{ reportId: `bench-${index}`, from, channel: 'sms', at: new Date().toISOString() },
    ...{ kind: 'gambling', origin: 'domestic', reporter: `+8210${20_000_000 + reporter}`, route: 'mobile' },
  };
}
