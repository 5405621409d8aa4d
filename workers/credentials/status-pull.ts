/** Pulls status lists from their issuers. The URI comes from a certificate, and its host must be one of the issuer's. */
import { STATUS_PULL_BYTES_MAX, STATUS_PULL_WAIT_MS } from '../../shared/limits/credential-store.ts';
import type { Failure, Result } from '../../shared/result.ts';
import { type FetchProblem, fetchText } from './fetch-text.ts';

export type PullProblem = FetchProblem;

const BOUNDS = {
  accept: 'application/statuslist+jwt',
  bytesMax: STATUS_PULL_BYTES_MAX,
  waitMs: STATUS_PULL_WAIT_MS,
};

/** @param isCloudflare whether the service runs on Cloudflare, where only https is read */
export function pullStatusList(
  uri: string,
  isCloudflare: boolean,
): Promise<Result<string, Failure<PullProblem>>> {
  return fetchText(uri, BOUNDS, isCloudflare);
}
