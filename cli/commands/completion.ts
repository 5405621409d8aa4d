/** `numgate completion`: prints the script that completes commands, options and their values in a shell. */
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';
import { shellWord } from '../terminal/shell-word.ts';
import { examples } from './options.ts';

/** The script calls this program. It runs no command, so completion never contacts the service. */
const COMPLETE = fileURLToPath(new URL('../complete.ts', import.meta.url));

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes numgate in your shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
The script completes the command numgate. To use it in this project folder, first define numgate as a function:
  bash, zsh   numgate() { npx numgate "$@"; }; source <(npx numgate completion bash)
  fish        function numgate; npx numgate $argv; end; npx numgate completion fish | source
Completion in bash works best with the package bash-completion.`,
    )
    .addHelpText('after', examples('completion bash'))
    .action((shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell]([process.execPath, COMPLETE].map(shellWord).join(' ')));
    });
}

/**
 * A script for each shell. It passes the typed words as arguments and never evaluates them, because Tab must not run what
 * is typed. The library's own scripts evaluate them. For each completion, the program prints a line: the completion, a tab,
 * its description. The last line is `:4`, or `:0` for file names.
 */
const SCRIPTS = {
  bash: (program: string) => `# bash completion of numgate
__numgate_complete() {
    local cur prev words cword out word
    COMPREPLY=()
    if declare -F _init_completion >/dev/null; then
        # Leaves out redirections. Fails if it has already completed the file of a redirection.
        _init_completion -n '=:' || return
    else
        local redirection='^[0-9&]*[<>]'
        words=()
        for ((cword = 0; cword < COMP_CWORD; cword++)); do
            if [[ \${COMP_WORDS[cword]} =~ $redirection ]]; then
                ((++cword < COMP_CWORD)) || return
            else
                words+=("\${COMP_WORDS[cword]}")
            fi
        done
        cur=\${COMP_WORDS[COMP_CWORD]} cword=\${#words[@]}
    fi
    out=$(${program} complete -- "\${words[@]:1:cword-1}" "$cur" 2>/dev/null) || return
    [[ $out == *:4 ]] && compopt +o default
    while IFS=$'\\t' read -r word _; do
        if [[ $word != :* && $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi
    done <<<"$out"
}
complete -o default -F __numgate_complete numgate
`,
  zsh: (program: string) => `#compdef numgate
compdef _numgate numgate
_numgate() {
    local out line
    local -a lines values
    out=$(${program} complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
    lines=("\${(@f)out}")
    if [[ \${lines[-1]} != :4 ]]; then
        _files
        return
    fi
    for line in \${lines[1,-2]}; do
        values+=("\${\${line//:/\\\\:}/$'\\t'/:}")
    done
    compset -P '-*='
    _describe numgate values
    return 0
}
# Not while this script is being sourced.
if [[ \${funcstack[1]} == _numgate ]]; then _numgate; fi
`,
  fish: (program: string) => `# fish completion of numgate
function __numgate_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l lines (${program} complete -- $words[2..-1] "$last" 2>/dev/null)
    if test "$lines[-1]" != :4
        __fish_complete_path "$last"
        return
    end
    set -l prefix (string match -r -- '^-.*=' "$last")
    for line in (string match -v :4 -- $lines)
        printf '%s\\n' "$prefix$line"
    end
end
complete -c numgate -e
complete -c numgate -f -a '(__numgate_complete)'
`,
};
