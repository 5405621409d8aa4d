/** Hosts that shorten URLs: what a link opens cannot be seen from it. */
import shorteners from '../../data/url-shorteners.json' with { type: 'json' };
import { parentsOf } from './host-table.ts';

export const SHORTENERS: ReadonlySet<string> = new Set(shorteners.hosts);
/** Labels of the longest of them. */
const LABELS_MAX = Math.max(...shorteners.hosts.map((host) => host.split('.').length));

/** Whether it is one of them, or below one. @param host in canonical form */
export function isShortener(host: string): boolean {
  return parentsOf(host, LABELS_MAX).some((each) => SHORTENERS.has(each));
}
