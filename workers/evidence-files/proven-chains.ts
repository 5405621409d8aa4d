/** Leaves out records that the tree of the file cannot prove, because their anchor is later or was trimmed. */
import { chainPart } from '../../shared/evidence-file/parts.ts';
import type { Collected, CollectedChain } from './collected.ts';

export function withinTree(
  collected: Collected,
  { upTo, trimmedTo }: { readonly upTo: number; readonly trimmedTo: number },
): Collected {
  const chains: CollectedChain[] = [];
  const cut = [...collected.cut];
  for (const chain of collected.chains) {
    const records = chain.records.filter(({ anchor }) => anchor.logN > trimmedTo && anchor.logN <= upTo);
    if (records.length < chain.records.length) cut.push(chainPart(chain.chain, chain.organisation));
    chains.push({ ...chain, records });
  }
  return { ...collected, chains, cut };
}
