/* `orrery completion`: scripts for the shells.
 *
 * A script knows nothing of commands: at each press of the key it hands the words of the line to
 * `orrery completion answer`, which asks the command what its table says (scen_complete.c). Bash
 * parts words at "=", so its script joins them again and cuts the answers at the last one. */
#include "scen_complete.h"

#include <stdio.h>
#include <string.h>

typedef struct Shell {
    const char *name, *script;
} Shell;

static const Shell shells[] = {
    {"bash",
     "# Completes orrery in bash: eval \"$(orrery completion bash)\", or save it as\n"
     "# /usr/share/bash-completion/completions/orrery\n"
     "_orrery() {\n"
     "    local word suffix words=() answer=()\n"
     "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD}\"; do\n"
     "        if [[ ${#words[@]} -gt 0 && ($word == =* || ${words[-1]} == *=) ]]; then\n"
     "            words[-1]+=$word\n"
     "        else\n"
     "            words+=(\"$word\")\n"
     "        fi\n"
     "    done\n"
     "    mapfile -t answer < <(\"${COMP_WORDS[0]/#\\~/$HOME}\" completion answer \"${words[@]}\" "
     "2>/dev/null)\n"
     "    word=${words[-1]##*=}\n"
     "    COMPREPLY=()\n"
     "    case ${answer[0]-} in\n"
     "    @folders)\n"
     "        compopt -o filenames 2>/dev/null\n"
     "        mapfile -t COMPREPLY < <(compgen -d -- \"$word\")\n"
     "        ;;\n"
     "    @files)\n"
     "        compopt -o filenames 2>/dev/null\n"
     "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
     "        ;;\n"
     "    @files*)\n"
     "        compopt -o filenames 2>/dev/null\n"
     "        mapfile -t COMPREPLY < <(\n"
     "            compgen -d -- \"$word\"\n"
     "            for suffix in ${answer[0]#@files}; do\n"
     "                compgen -f -X \"!*.$suffix\" -- \"$word\"\n"
     "            done)\n"
     "        ;;\n"
     "    *)\n"
     "        suffix=${words[-1]%\"$word\"}\n"
     "        COMPREPLY=(\"${answer[@]#\"$suffix\"}\")\n"
     "        [[ ${answer[*]} != *[=.] ]] || compopt -o nospace 2>/dev/null\n"
     "        ;;\n"
     "    esac\n"
     "}\n"
     "complete -F _orrery orrery ./orrery\n"},
    {"zsh",  "#compdef orrery\n"
            "# Completes orrery in zsh: save it as _orrery in a folder of $fpath, or\n"
            "# source <(orrery completion zsh) after compinit.\n"
            "_orrery() {\n"
            "    local -a answer open whole\n"
            "    local each suffixes\n"
            "    answer=(\"${(@f)$(${(Q)words[1]/#\\~/$HOME} completion answer "
            "\"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
            "    case $answer[1] in\n"
            "    @folders) _files -/ ;;\n"
            "    @files) _files ;;\n"
            "    @files*)\n"
            "        suffixes=${${answer[1]#@files }// /|}\n"
            "        _files -g \"*.($suffixes)\"\n"
            "        ;;\n"
            "    *)\n"
            "        for each in $answer; do\n"
            "            [[ $each == *[=.] ]] && open+=($each) || whole+=($each)\n"
            "        done\n"
            "        (( $#open )) && compadd -S '' -a open\n"
            "        (( $#whole )) && compadd -a whole\n"
            "        ;;\n"
            "    esac\n"
            "}\n"
            "if [[ $funcstack[1] == _orrery ]]; then\n"
            "    _orrery \"$@\"\n"
            "elif (( $+functions[compdef] )); then\n"
            "    compdef _orrery orrery\n"
            "fi\n"               },
};

static const ScenCommand *command_by_name(const ScenCommand *commands, size_t count,
                                          const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (g_str_equal(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* Answers about the words of a line, the program's own left out. */
static void answer(const ScenCommand *commands, size_t count, char **words)
{
    bool helps = words[0] && g_str_equal(words[0], "help");
    if (!words[0] || !words[1] || (helps && !words[2])) {
        scen_complete_name(commands, count, !words[0] ? "" : words[1] ? words[1] : words[0]);
        return;
    }
    const ScenCommand *command = command_by_name(commands, count, words[0]);
    if (!command)
        return;
    g_autoptr(GPtrArray) asked = g_ptr_array_new();
    g_ptr_array_add(asked, words[0]);
    char option[] = SCEN_DESCRIBE_ANSWER;
    g_ptr_array_add(asked, option);
    for (char **word = words + 1; *word; word++)
        g_ptr_array_add(asked, *word);
    g_ptr_array_add(asked, NULL);
    command->run((int)asked->len - 1, (char **)asked->pdata);
}

ScenExit scen_cmd_completion(const ScenCommand *commands, size_t count, int argc, char **argv)
{
    static const ScenUsage usage = {
        .command = "completion",
        .arguments = "bash|zsh",
        .summary =
            "Prints the script that completes command lines: commands, options, files, names\n"
            "of the catalogs, and keys and values of --set.",
    };
    if (argc > 1 && g_str_equal(argv[1], "answer")) {
        answer(commands, count, argv + 2);
        return SCEN_EXIT_OK;
    }
    g_auto(GStrv) names = NULL;
    const GOptionEntry entries[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &names, NULL, NULL},
        {0                },
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    for (size_t i = 0; names && !names[1] && i < G_N_ELEMENTS(shells); i++)
        if (g_str_equal(shells[i].name, names[0])) {
            fputs(shells[i].script, stdout);
            return SCEN_EXIT_OK;
        }
    return scen_options_wrong(&usage, "needs the name of a shell: bash or zsh");
}
