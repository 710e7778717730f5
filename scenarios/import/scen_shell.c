/* Shell scripts, followed without running them.
 *
 * A script that starts a training is mostly assignments: numbers, arrays of arguments, a few
 * choices between them, and at the end one command. These are followed as bash would: assignments
 * (also += and arrays), export, if / elif / else over [ ] and [[ ]], && and ||, functions (as if
 * called where they stand). What would need the machine is not: a condition on files or on the
 * status of programs does not hold, loops and cases are passed over, sourced files are not read.
 * Each leaves a note with its line.
 *
 * Commands are kept with their words expanded (scen_shell_expand.c); lines that start with #SBATCH
 * are kept as commands as well. Nothing is executed. */
#include "scen_shell_private.h"

#include "scen_errors.h"

#include <string.h>

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NEXT, /* a new line, ; or & */
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_REDIRECT,
    TOKEN_WORD,
} TokenKind;

/* An if that is open. */
typedef struct Branch {
    bool outer;  /* what is around it runs */
    bool asking; /* its condition is being read */
    bool taken;  /* one of its branches ran */
    bool active; /* this one runs */
} Branch;

typedef struct Reader {
    ScenShell *shell;
    ScenShellVars vars;
    const char *name, *at, *line_start;
    const char *word_end, *operator_at; /* of the last word and operator */
    int64_t line;
    ScenShellWord word; /* of the last token */
    bool in_test;       /* between [[ and ]] */
    bool failed;
    int passed_over; /* loops and cases that are open */
    GArray *branches;
    ScenShellTruth last;
    TokenKind before; /* what connects the command at hand to the last one */
} Reader;

static void word_clear(void *word)
{
    g_free(((ScenShellWord *)word)->text);
}

GArray *scen_shell_words_new(void)
{
    GArray *words = g_array_new(FALSE, FALSE, sizeof(ScenShellWord));
    g_array_set_clear_func(words, word_clear);
    return words;
}

static void note(Reader *reader, int64_t line, const char *text)
{
    g_ptr_array_add(reader->shell->notes,
                    g_strdup_printf("%s:%" G_GINT64_FORMAT ": %s", reader->name, line, text));
}

static void count_lines(Reader *reader, const char *from, const char *to)
{
    for (; from < to; from++)
        if (*from == '\n') {
            reader->line++;
            reader->line_start = from + 1;
        }
}

static void move(Reader *reader, const char *to)
{
    count_lines(reader, reader->at, to);
    reader->at = to;
}

/* A comment; of #SBATCH, a command. */
static void skip_comment(Reader *reader)
{
    const char *end = reader->at + strcspn(reader->at, "\n");
    if (g_str_has_prefix(reader->at, "#SBATCH") && reader->at == reader->line_start) {
        ScenShellWord at = {NULL, reader->line, 1};
        g_autofree char *line = g_strndup(reader->at, (gsize)(end - reader->at));
        g_auto(GStrv) parts = g_strsplit_set(line, " \t=", -1);
        GArray *words = scen_shell_words_new();
        for (size_t i = 0; parts[i]; i++)
            if (*parts[i])
                scen_shell_append(words, &at, parts[i]);
        g_ptr_array_add(reader->shell->commands, words);
    }
    reader->at = end;
}

static void skip_blanks(Reader *reader)
{
    for (;;) {
        if (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r')
            reader->at++;
        else if (reader->at[0] == '\\' && reader->at[1] == '\n')
            move(reader, reader->at + 2);
        else if (reader->at[0] == '\\' && reader->at[1] == '\r' && reader->at[2] == '\n')
            move(reader, reader->at + 3);
        else if (*reader->at == '#')
            skip_comment(reader);
        else
            return;
    }
}

static TokenKind read_word(Reader *reader)
{
    const char *start = reader->at, *end = start;
    reader->word.line = reader->line;
    reader->word.column = start - reader->line_start + 1;
    const char *stops = reader->in_test ? " \t\r\n" : " \t\r\n;&|()<>";
    if (reader->in_test && g_str_has_prefix(start, "]]"))
        end = start + 2;
    else
        while (end && *end && !strchr(stops, *end))
            end = scen_shell_skip(end);
    if (!end) {
        reader->failed = true;
        return TOKEN_END;
    }
    g_free(reader->word.text);
    reader->word.text = g_strndup(start, (gsize)(end - start));
    move(reader, end);
    reader->word_end = end;
    if (g_str_equal(reader->word.text, "[["))
        reader->in_test = true;
    if (g_str_equal(reader->word.text, "]]"))
        reader->in_test = false;
    return TOKEN_WORD;
}

static TokenKind next_token(Reader *reader)
{
    skip_blanks(reader);
    const char *at = reader->at;
    if (*at == '\0')
        return TOKEN_END;
    if (*at == '\n') {
        reader->in_test = false;
        move(reader, at + 1);
        return TOKEN_NEXT;
    }
    if (reader->in_test)
        return read_word(reader);
    static const struct {
        const char *text;
        TokenKind kind;
    } operators[] = {
        {"&&",  TOKEN_AND     },
        {"||",  TOKEN_OR      },
        {";;",  TOKEN_NEXT    },
        {";",   TOKEN_NEXT    },
        {"&>",  TOKEN_REDIRECT},
        {"|&",  TOKEN_PIPE    },
        {"&",   TOKEN_NEXT    },
        {"|",   TOKEN_PIPE    },
        {"(",   TOKEN_OPEN    },
        {")",   TOKEN_CLOSE   },
        {"<<<", TOKEN_REDIRECT},
        {">>",  TOKEN_REDIRECT},
        {">&",  TOKEN_REDIRECT},
        {"<",   TOKEN_REDIRECT},
        {">",   TOKEN_REDIRECT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(operators); i++)
        if (g_str_has_prefix(at, operators[i].text)) {
            reader->operator_at = at;
            reader->at += strlen(operators[i].text);
            return operators[i].kind;
        }
    return read_word(reader);
}

static bool runs(const Reader *reader)
{
    const Branch *top = reader->branches->len > 0
                            ? &g_array_index(reader->branches, Branch, reader->branches->len - 1)
                            : NULL;
    return reader->passed_over == 0 &&
           (!top || (top->asking ? top->outer && !top->taken : top->active));
}

/* Is @text NAME=... or NAME+=...? Then the length of NAME, else 0. */
static size_t assigned_name(const char *text)
{
    size_t length =
        g_ascii_isdigit(*text) ? 0 : strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
    const char *rest = text + length + (text[length] == '+');
    return *rest == '=' ? length : 0;
}

/* Sets the variable that @word assigns to: to @array (taken), or to what is behind the =. */
static void assign(Reader *reader, const ScenShellWord *word, GArray *array)
{
    size_t length = assigned_name(word->text);
    bool append = word->text[length] == '+';
    char *name = g_strndup(word->text, length);
    GArray *value = array ? array : scen_shell_words_new();
    GArray *old = g_hash_table_lookup(reader->vars.lists, name);
    if (!array) {
        ScenShellWord raw = {word->text + length + append + 1, word->line, word->column};
        g_autofree char *text = scen_shell_expand_one(&reader->vars, &raw);
        reader->failed = reader->failed || !text;
        g_autofree char *joined =
            append && old && old->len > 0
                ? g_strconcat(g_array_index(old, ScenShellWord, 0).text, text, NULL)
                : NULL;
        scen_shell_append(value, word, joined ? joined : text ? text : "");
    } else if (append && old) {
        for (guint i = 0; i < old->len; i++) {
            ScenShellWord *kept = &g_array_index(old, ScenShellWord, i);
            ScenShellWord copy = {g_strdup(kept->text), kept->line, kept->column};
            g_array_insert_val(value, i, copy);
        }
    }
    reader->vars.bytes += 16 * (int64_t)value->len;
    if (g_hash_table_contains(reader->vars.pinned, name)) {
        g_array_unref(value);
        g_free(name);
    } else {
        g_hash_table_replace(reader->vars.lists, name, value);
    }
}

static bool is_one_of(const char *text, const char *const *names)
{
    return g_strv_contains(names, text);
}

static void keep_command(Reader *reader, const GArray *raw, guint from)
{
    GArray *words = scen_shell_words_new();
    for (guint i = from; i < raw->len && !reader->failed; i++)
        reader->failed =
            !scen_shell_expand(&reader->vars, &g_array_index(raw, ScenShellWord, i), words);
    reader->vars.bytes += 16 * (int64_t)words->len;
    reader->failed = reader->failed || reader->vars.bytes > SCEN_SHELL_BYTES_MAX;
    g_ptr_array_add(reader->shell->commands, words);
}

/* A command without a keyword before it. */
static void run(Reader *reader, const GArray *raw)
{
    static const char *const declares[] = {"export",   "local",   "declare",
                                           "readonly", "typeset", NULL};
    static const char *const tests[] = {"[", "[[", "test", NULL};
    static const char *const sources[] = {"source", ".", NULL};
    bool skipped = (reader->before == TOKEN_AND && reader->last != SCEN_SHELL_YES) ||
                   (reader->before == TOKEN_OR && reader->last == SCEN_SHELL_YES);
    if (!runs(reader) || skipped)
        return;
    const ScenShellWord *first = &g_array_index(raw, ScenShellWord, 0);
    const Branch *top = reader->branches->len > 0
                            ? &g_array_index(reader->branches, Branch, reader->branches->len - 1)
                            : NULL;
    ScenShellTruth before = reader->before == TOKEN_OR ? reader->last : SCEN_SHELL_NO;
    if (is_one_of(first->text, tests)) {
        reader->last = scen_shell_test(&reader->vars, raw, &reader->failed);
        if (before == SCEN_SHELL_UNKNOWN && reader->last == SCEN_SHELL_NO)
            reader->last = SCEN_SHELL_UNKNOWN;
        return;
    }
    reader->last = top && top->asking ? SCEN_SHELL_UNKNOWN : SCEN_SHELL_YES;
    if (is_one_of(first->text, sources))
        note(reader, first->line, "the file that is sourced here is not read");
    bool declared = is_one_of(first->text, declares);
    guint i = declared;
    for (; i < raw->len; i++) {
        const ScenShellWord *word = &g_array_index(raw, ScenShellWord, i);
        if (assigned_name(word->text) > 0)
            assign(reader, word, NULL);
        else if (!declared)
            break;
    }
    if (i < raw->len)
        keep_command(reader, raw, i);
}

/* Opens, turns and closes branches. */
static void branch(Reader *reader, const char *keyword, int64_t line)
{
    Branch *top = reader->branches->len > 0
                      ? &g_array_index(reader->branches, Branch, reader->branches->len - 1)
                      : NULL;
    if (g_str_equal(keyword, "if")) {
        Branch opened = {.outer = runs(reader), .asking = true};
        g_array_append_val(reader->branches, opened);
        return;
    }
    if (!top)
        return;
    if (g_str_equal(keyword, "then")) {
        bool asked = top->asking && top->outer && !top->taken;
        if (asked && reader->last == SCEN_SHELL_UNKNOWN)
            note(reader, line, "whether this condition holds cannot be told; taken as if not");
        top->active = asked && reader->last == SCEN_SHELL_YES;
        top->asking = false;
    } else if (g_str_equal(keyword, "fi")) {
        g_array_set_size(reader->branches, reader->branches->len - 1);
    } else {
        top->taken = top->taken || top->active;
        top->asking = g_str_equal(keyword, "elif");
        top->active = !top->asking && top->outer && !top->taken;
    }
}

/* Takes the keywords off the front of @raw. */
static void take_keywords(Reader *reader, GArray *raw)
{
    static const char *const branching[] = {"if", "then", "elif", "else", "fi", NULL};
    static const char *const opening[] = {"for", "while", "until", "case", "select", NULL};
    static const char *const closing[] = {"done", "esac", NULL};
    static const char *const nothing[] = {"do",   "{",    "}",  "function", "time",
                                          "exec", "eval", "in", NULL};
    while (raw->len > 0) {
        const ScenShellWord *first = &g_array_index(raw, ScenShellWord, 0);
        if (is_one_of(first->text, branching)) {
            branch(reader, first->text, first->line);
            reader->before = TOKEN_NEXT;
        } else if (is_one_of(first->text, opening)) {
            if (runs(reader))
                note(reader, first->line, "loops and cases are not followed");
            reader->passed_over++;
            g_array_set_size(raw, 1);
        } else if (is_one_of(first->text, closing)) {
            reader->passed_over -= reader->passed_over > 0;
        } else if (g_str_equal(first->text, "!")) {
            /* the status of what follows, which only a test has */
        } else if (!is_one_of(first->text, nothing)) {
            return;
        }
        g_array_remove_index(raw, 0);
    }
}

static void end_command(Reader *reader, GArray *raw, TokenKind by)
{
    bool negated = false;
    for (guint i = 0; i < MIN(raw->len, 2); i++)
        negated = negated || g_str_equal(g_array_index(raw, ScenShellWord, i).text, "!");
    bool some = raw->len > 0;
    take_keywords(reader, raw);
    if (raw->len > 0) {
        run(reader, raw);
        if (negated)
            reader->last = scen_shell_not(reader->last);
    }
    g_array_set_size(raw, 0);
    if (some || by != TOKEN_NEXT)
        reader->before = by;
}

/* The words of NAME=( ... ), expanded; the token ( was read. */
static GArray *read_array(Reader *reader)
{
    GArray *words = scen_shell_words_new();
    for (;;) {
        TokenKind token = next_token(reader);
        if (token == TOKEN_CLOSE)
            return words;
        if (token == TOKEN_END) {
            reader->failed = true;
            return words;
        }
        if (token == TOKEN_WORD && runs(reader) &&
            !scen_shell_expand(&reader->vars, &reader->word, words))
            reader->failed = true;
    }
}

/* A ( that is no subshell: an array, or the brackets of a function's name. */
static void open_bracket(Reader *reader, GArray *raw)
{
    ScenShellWord *last = raw->len > 0 ? &g_array_index(raw, ScenShellWord, raw->len - 1) : NULL;
    if (last && g_str_has_suffix(last->text, "=") && assigned_name(last->text) > 0) {
        GArray *words = read_array(reader);
        bool wanted = runs(reader) && !reader->failed;
        if (wanted)
            assign(reader, last, words);
        else
            g_array_unref(words);
        g_array_remove_index(raw, raw->len - 1);
    } else if (raw->len == 1) {
        g_array_set_size(raw, 0);
    }
}

/* The 2 of 2>&1 is no argument. */
static void drop_descriptor(const Reader *reader, GArray *raw)
{
    if (raw->len == 0 || reader->operator_at != reader->word_end)
        return;
    const char *text = g_array_index(raw, ScenShellWord, raw->len - 1).text;
    if (strspn(text, G_CSET_DIGITS) == strlen(text))
        g_array_set_size(raw, raw->len - 1);
}

static void follow(Reader *reader)
{
    g_autoptr(GArray) raw = scen_shell_words_new();
    TokenKind token = TOKEN_NEXT;
    while (token != TOKEN_END && !reader->failed) {
        token = next_token(reader);
        if (token == TOKEN_WORD) {
            ScenShellWord copy = {g_strdup(reader->word.text), reader->word.line,
                                  reader->word.column};
            g_array_append_val(raw, copy);
        } else if (token == TOKEN_OPEN) {
            open_bracket(reader, raw);
        } else if (token == TOKEN_REDIRECT) {
            drop_descriptor(reader, raw);
            next_token(reader);
        } else if (token != TOKEN_CLOSE) {
            end_command(reader, raw, token);
        }
    }
}

static void pin(Reader *reader, const char *const *pinned)
{
    for (; pinned && *pinned; pinned++) {
        const char *equals = strchr(*pinned, '=');
        if (!equals)
            continue;
        char *name = g_strndup(*pinned, (gsize)(equals - *pinned));
        GArray *value = scen_shell_words_new();
        scen_shell_append(value, &(ScenShellWord){NULL, 0, 0}, equals + 1);
        g_hash_table_add(reader->vars.pinned, g_strdup(name));
        g_hash_table_replace(reader->vars.lists, name, value);
    }
}

ScenShell *scen_shell_read(const char *name, const char *text, const char *const *pinned,
                           GError **error)
{
    g_autoptr(ScenShell) shell = g_new0(ScenShell, 1);
    shell->commands = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    shell->notes = g_ptr_array_new_with_free_func(g_free);
    shell->unset = g_ptr_array_new_with_free_func(g_free);
    Reader reader = {
        .shell = shell,
        .vars = {.lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                 (GDestroyNotify)g_array_unref),
                 .pinned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                 .unset = shell->unset},
        .name = name,
        .at = text,
        .line_start = text,
        .line = 1,
        .branches = g_array_new(FALSE, FALSE, sizeof(Branch)),
        .last = SCEN_SHELL_YES,
        .before = TOKEN_NEXT,
    };
    pin(&reader, pinned);
    follow(&reader);
    if (reader.failed)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s:%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT ": %s", name, reader.line,
                    (int64_t)(reader.at - reader.line_start) + 1,
                    reader.vars.bytes > SCEN_SHELL_BYTES_MAX
                        ? "the script expands to more than 4 MiB"
                        : "a quote or bracket does not end, or expansions are nested too deep");
    g_hash_table_unref(reader.vars.lists);
    g_hash_table_unref(reader.vars.pinned);
    g_array_unref(reader.branches);
    g_free(reader.word.text);
    return reader.failed ? NULL : g_steal_pointer(&shell);
}

void scen_shell_free(ScenShell *shell)
{
    if (!shell)
        return;
    g_ptr_array_unref(shell->commands);
    g_ptr_array_unref(shell->notes);
    g_ptr_array_unref(shell->unset);
    g_free(shell);
}
