#include "cli/completion.h"

#include <string.h>

/* What a word can be completed to. */
enum completion {
    COMPLETION_NONE,
    COMPLETION_FILES,
    COMPLETION_COMMANDS,
    COMPLETION_WORDS,
};

static enum completion completion_of_value(const struct opt *o) {
    if (o->type == OPT_CHOICE) {
        return COMPLETION_WORDS;
    }
    if (o->arg != NULL &&
        (strstr(o->arg, "FILE") != NULL || strstr(o->arg, "DATA") != NULL)) {
        return COMPLETION_FILES;
    }
    return COMPLETION_NONE;
}

static enum completion completion_of_operand(const struct command *c) {
    if (c->operand == NULL) {
        return COMPLETION_NONE;
    }
    if (strchr(c->operand, '|') != NULL) {
        return COMPLETION_WORDS;
    }
    if (strstr(c->operand, "COMMAND") != NULL) {
        return COMPLETION_COMMANDS;
    }
    if (strstr(c->operand, "FILE") != NULL ||
        strstr(c->operand, "CHAIN") != NULL) {
        return COMPLETION_FILES;
    }
    return COMPLETION_NONE;
}

/* Words with a blank between them: bash|zsh|fish becomes bash zsh fish. */
static void completion_operand_words(FILE *f, const struct command *c) {
    for (const char *p = c->operand; *p != '\0'; p++) {
        if (strchr("[].", *p) == NULL) {
            fputc(*p == '|' ? ' ' : *p, f);
        }
    }
}

static void completion_choices(FILE *f, const struct opt *o) {
    for (size_t i = 0; o->choices[i] != NULL; i++) {
        fprintf(f, "%s%s", i == 0 ? "" : " ", o->choices[i]);
    }
}

static void completion_names(FILE *f, const struct command *const *commands) {
    for (size_t i = 0; commands[i] != NULL; i++) {
        fprintf(f, "%s%s", i == 0 ? "" : " ", commands[i]->name);
    }
}

static void completion_words(FILE *f, enum completion what,
                             const struct command *c,
                             const struct command *const *commands) {
    if (what == COMPLETION_COMMANDS) {
        completion_names(f, commands);
    } else {
        completion_operand_words(f, c);
    }
}

/* Text inside single quotes: `escape` are bytes to put a backslash before. */
static void completion_text(FILE *f, const char *text, const char *escape) {
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'') {
            fputs("'\\''", f);
            continue;
        }
        if (strchr(escape, *p) != NULL) {
            fputc('\\', f);
        }
        fputc(*p, f);
    }
}

/* One case per option with a value: words or files, or nothing to offer. */
static void completion_bash_values(FILE *f, const struct command *c) {
    const struct opt *o;
    for (size_t i = 0; (o = opt_at(c->groups, i, NULL)) != NULL; i++) {
        if (!opt_takes_value(o)) {
            continue;
        }
        fputs("    ", f);
        if (opt_needs_value(o)) {
            fprintf(f, "'%s --%s' | ", c->name, o->name);
            if (o->letter != 0) {
                fprintf(f, "'%s -%c' | ", c->name, o->letter);
            }
        }
        fprintf(f, "'%s --%s=') ", c->name, o->name);
        switch (completion_of_value(o)) {
        case COMPLETION_WORDS:
            fputs("words='", f);
            completion_choices(f, o);
            fputs("' ;;\n", f);
            break;
        case COMPLETION_FILES:
            fputs("files=1 ;;\n", f);
            break;
        default:
            fputs("return ;;\n", f);
        }
    }
}

static void completion_bash_command(FILE *f, const struct command *c,
                                    const struct command *const *commands) {
    const struct opt *o;
    fprintf(f, "        '%s -'*) words='", c->name);
    for (size_t i = 0; (o = opt_at(c->groups, i, NULL)) != NULL; i++) {
        fprintf(f, "%s--%s", i == 0 ? "" : " ", o->name);
    }
    fputs("' ;;\n", f);
    enum completion what = completion_of_operand(c);
    if (what == COMPLETION_FILES) {
        fprintf(f, "        '%s '*) files=1 ;;\n", c->name);
    } else if (what != COMPLETION_NONE) {
        fprintf(f, "        '%s '*) words='", c->name);
        completion_words(f, what, c, commands);
        fputs("' ;;\n", f);
    }
}

void completion_bash(FILE *f, const struct command *const *commands) {
    fputs("# mptls(1) completion for bash\n"
          "_mptls() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]}\n"
          "    local prev= words= files= word\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -lt 2 ]; then\n"
          "        words='",
          f);
    completion_names(f, commands);
    /* bash takes '=' for a word of its own. */
    fputs(" --help --version'\n"
          "    else\n"
          "        prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "        if [ \"$cur\" = = ]; then\n"
          "            cur= prev=$prev=\n"
          "        elif [ \"$prev\" = = ]; then\n"
          "            prev=${COMP_WORDS[COMP_CWORD-2]}=\n"
          "        fi\n"
          "    fi\n"
          "    case \"$cmd $prev\" in\n",
          f);
    for (size_t i = 0; commands[i] != NULL; i++) {
        completion_bash_values(f, commands[i]);
    }
    fputs("    esac\n"
          "    if [ -z \"$words$files\" ]; then\n"
          "        case \"$cmd $cur\" in\n",
          f);
    for (size_t i = 0; commands[i] != NULL; i++) {
        completion_bash_command(f, commands[i], commands);
    }
    fputs("        esac\n"
          "    fi\n"
          "    if [ -n \"$files\" ]; then\n"
          "        compopt -o filenames 2>/dev/null\n"
          "    fi\n"
          "    while IFS= read -r word; do\n"
          "        COMPREPLY+=(\"$word\")\n"
          "    done < <(if [ -n \"$files\" ]; then compgen -f -- \"$cur\"\n"
          "        else compgen -W \"$words\" -- \"$cur\"; fi)\n"
          "}\n"
          "complete -F _mptls mptls\n",
          f);
}

static void completion_zsh_option(FILE *f, const struct opt *o) {
    fputs("            ", f);
    const char *mark = o->type == OPT_OPTIONAL ? "=-"
                       : opt_needs_value(o)    ? "="
                                               : "";
    if (o->letter != 0) {
        const char *star = opt_may_repeat(o) ? "*" : "";
        if (*star == '\0') {
            fprintf(f, "'(-%c --%s)'", o->letter, o->name);
        }
        fprintf(f, "%s{-%c%s,--%s%s}'[", *star != '\0' ? "\\*" : "", o->letter,
                opt_needs_value(o) ? "+" : "", o->name, mark);
    } else {
        fprintf(f, "'%s--%s%s[", opt_may_repeat(o) ? "*" : "", o->name, mark);
    }
    completion_text(f, o->help, "[]\\");
    fputs("]", f);
    if (opt_takes_value(o)) {
        fputs(o->type == OPT_OPTIONAL ? "::" : ":", f);
        completion_text(f, o->arg, ":\\[]");
        switch (completion_of_value(o)) {
        case COMPLETION_WORDS:
            fputs(":(", f);
            completion_choices(f, o);
            fputs(")", f);
            break;
        case COMPLETION_FILES:
            fputs(":_files", f);
            break;
        default:
            fputs(": ", f);
        }
    }
    fputs("' \\\n", f);
}

static void completion_zsh_command(FILE *f, const struct command *c,
                                   const struct command *const *commands) {
    const struct opt *o;
    fprintf(f, "    %s)\n        _arguments -s -S \\\n", c->name);
    for (size_t i = 0; (o = opt_at(c->groups, i, NULL)) != NULL; i++) {
        completion_zsh_option(f, o);
    }
    fputs("            '*:", f);
    completion_text(f, c->operand != NULL ? c->operand : "", ":\\[]");
    enum completion what = completion_of_operand(c);
    if (what == COMPLETION_FILES) {
        fputs(":_files", f);
    } else if (what == COMPLETION_NONE) {
        fputs(": ", f);
    } else {
        fputs(":(", f);
        completion_words(f, what, c, commands);
        fputs(")", f);
    }
    fputs("'\n        ;;\n", f);
}

void completion_zsh(FILE *f, const struct command *const *commands) {
    fputs("#compdef mptls\n"
          "_mptls() {\n"
          "    local -a commands\n"
          "    commands=(\n",
          f);
    for (size_t i = 0; commands[i] != NULL; i++) {
        fprintf(f, "        '%s:", commands[i]->name);
        completion_text(f, commands[i]->summary, "\\");
        fputs("'\n", f);
    }
    fputs("    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "    case $words[1] in\n",
          f);
    for (size_t i = 0; commands[i] != NULL; i++) {
        completion_zsh_command(f, commands[i], commands);
    }
    /* Run when autoloaded from fpath, but not when sourced. */
    fputs("    esac\n"
          "}\n"
          "if [ \"$funcstack[1]\" = _mptls ]; then\n"
          "    _mptls \"$@\"\n"
          "else\n"
          "    compdef _mptls mptls\n"
          "fi\n",
          f);
}

static void completion_fish_option(FILE *f, const char *command,
                                   const struct opt *o) {
    fprintf(f, "complete -c mptls -n '__mptls_is %s' -l %s", command, o->name);
    if (o->letter != 0) {
        fprintf(f, " -s %c", o->letter);
    }
    if (opt_needs_value(o)) {
        switch (completion_of_value(o)) {
        case COMPLETION_WORDS:
            fputs(" -x -a '", f);
            completion_choices(f, o);
            fputs("'", f);
            break;
        case COMPLETION_FILES:
            fputs(" -r -F", f);
            break;
        default:
            fputs(" -x", f);
        }
    }
    fputs(" -d '", f);
    completion_text(f, o->help, "\\");
    fputs("'\n", f);
}

void completion_fish(FILE *f, const struct command *const *commands) {
    fputs("# mptls(1) completion for fish\n"
          "function __mptls_is\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -gt 1; and test \"$words[2]\" = $argv[1]\n"
          "end\n"
          "function __mptls_none\n"
          "    test (count (commandline -opc)) -eq 1\n"
          "end\n"
          "complete -c mptls -f\n",
          f);
    for (size_t i = 0; commands[i] != NULL; i++) {
        const struct command *c = commands[i];
        fprintf(f, "complete -c mptls -n __mptls_none -a %s -d '", c->name);
        completion_text(f, c->summary, "\\");
        fputs("'\n", f);
        const struct opt *o;
        for (size_t j = 0; (o = opt_at(c->groups, j, NULL)) != NULL; j++) {
            completion_fish_option(f, c->name, o);
        }
        enum completion what = completion_of_operand(c);
        if (what == COMPLETION_NONE) {
            continue;
        }
        fprintf(f, "complete -c mptls -n '__mptls_is %s'", c->name);
        if (what == COMPLETION_FILES) {
            fputs(" -F\n", f);
        } else {
            fputs(" -a '", f);
            completion_words(f, what, c, commands);
            fputs("'\n", f);
        }
    }
}
