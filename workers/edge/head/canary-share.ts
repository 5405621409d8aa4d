/** Which data centres use a canary before it is promoted. */
import { inShare } from '../../../shared/propagation.ts';
import { fingerprint } from '../../../shared/set/xxhash.ts';

/** Whether this data centre is in the share of a canary. Each canary selects different data centres. */
export function servesCanary(
  { release, share }: { readonly release: string; readonly share: number },
  dataCentre: string,
): boolean {
  return inShare(Number(fingerprint(`${release} ${dataCentre}`, 0n) & 0xffffffffn), share);
}
