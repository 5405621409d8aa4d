/** Hosts that shorten URLs. A shortened link does not show which host it opens. */
import shorteners from '../../data/url-shorteners.json' with { type: 'json' };
import { parentsOf } from './host-table.ts';

export const SHORTENERS: ReadonlySet<string> = new Set(shorteners.hosts);
/** Most labels of a shortener. */
const LABELS_MAX = Math.max(...shorteners.hosts.map((host) => host.split('.').length));

/** Whether a host is a shortener, or a subdomain of one. @param host in canonical form */
export function isShortener(host: string): boolean {
  return parentsOf(host, LABELS_MAX).some((each) => SHORTENERS.has(each));
}
