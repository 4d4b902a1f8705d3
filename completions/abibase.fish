# SPDX-License-Identifier: LGPL-2.1-or-later
# Fish completion for abibase(1). What can stand there is known to the command: "abibase __complete".

function __abibase_complete
	set -l words (commandline -opc)
	set -l word (commandline -ct)
	for line in (abibase __complete $words[2..] $word 2>/dev/null)
		set -l before (string split -m 1 \t -- $line)[2]
		switch $line
			case ':files*'
				set -l path (string sub -s (math (string length -- "$before") + 1) -- $word)
				string replace -r '^' -- "$before" (complete -C "'' $path")
			case ':commands*'
				complete -C "command $word"
			case '*'
				echo $line
		end
	end
end

complete -c abibase -f -a '(__abibase_complete)'
