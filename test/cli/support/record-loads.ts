/** Preloaded into a command. Prints the packages that the command loads, as `loaded: name name`, to standard error. */
import { registerHooks } from 'node:module';

const packages = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
    if (name !== undefined) packages.add(name);
    return nextLoad(url, context);
  },
});

process.on('exit', () => process.stderr.write(`loaded: ${[...packages].join(' ')}\n`));
