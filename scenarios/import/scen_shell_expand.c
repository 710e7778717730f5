/* Words of a shell and what they expand to (POSIX.1-2017, Shell Command Language, 2.2 and 2.6; of
 * bash: arrays).
 *
 *   'text' "text $x" \c      quotes
 *   $x ${x} $1 $@            variables; unset ones are empty, and are remembered
 *   ${x:-y} ${x-y} ${x:=y} ${x:+y}      defaults
 *   ${a[@]} ${a[*]} ${a[2]} ${#a[@]}    arrays
 *   $((1 + x * 2))           whole numbers with + - * / % and parentheses
 *
 * Unquoted expansions are split at blanks. Left out: patterns of files, braces that multiply.
 * Commands whose output is taken, $(...) and `...`, and patterns in ${x%y} stay as they are written:
 * what needs them then says that they are no number. */
#include "scen_shell_private.h"

#include <string.h>

/* What is being put together. */
typedef struct Expansion {
    ScenShellVars *vars;
    const ScenShellWord *at;
    GArray *words;   /* finished; NULL: nothing is split */
    GString *word;   /* at hand */
    bool started;    /* the word at hand is one, even if empty */
    bool in_default; /* plain text is split as well */
    int depth;
} Expansion;

static bool expand(Expansion *x, const char *text, const char *end, bool quoted);

/* Behind the quote or bracket that ends what begins at @at. NULL when it does not end. */
static const char *skip_piece(const char *at)
{
    char open = *at, close = open == '(' ? ')' : open == '{' ? '}' : open;
    int depth = 1;
    for (at++; *at;) {
        if (*at == close && --depth == 0)
            return at + 1;
        if (*at == close) {
            at++;
        } else if (*at == open) {
            depth++;
            at++;
        } else if (*at == '\\') {
            at += at[1] ? 2 : 1;
        } else if (open != '"' && open != '`' && (*at == '"' || *at == '\'')) {
            const char *end = *at == '"' ? strchr(at + 1, '"') : strchr(at + 1, '\'');
            if (!end)
                return NULL;
            at = end + 1;
        } else {
            at++;
        }
    }
    return NULL;
}

const char *scen_shell_skip(const char *at)
{
    if (*at == '\0')
        return NULL;
    if (*at == '\\')
        return at[1] ? at + 2 : at + 1;
    if (*at == '$' && (at[1] == '(' || at[1] == '{'))
        return skip_piece(at + 1);
    if (*at == '\'') {
        const char *end = strchr(at + 1, '\'');
        return end ? end + 1 : NULL;
    }
    return *at == '"' || *at == '`' ? skip_piece(at) : at + 1;
}

void scen_shell_append(GArray *words, const ScenShellWord *at, const char *text)
{
    ScenShellWord word = {g_strdup(text), at->line, at->column};
    g_array_append_val(words, word);
}

static void end_word(Expansion *x)
{
    if (x->started && x->words)
        scen_shell_append(x->words, x->at, x->word->str);
    if (x->words) {
        g_string_truncate(x->word, 0);
        x->started = false;
    }
}

static bool add(Expansion *x, const char *text, gsize length, bool quoted)
{
    x->vars->bytes += (int64_t)length;
    if (x->vars->bytes > SCEN_SHELL_BYTES_MAX)
        return false;
    if (quoted || !x->words) {
        g_string_append_len(x->word, text, (gssize)length);
        x->started = true;
        return true;
    }
    for (gsize i = 0; i < length; i++) {
        if (g_ascii_isspace(text[i])) {
            end_word(x);
        } else {
            g_string_append_c(x->word, text[i]);
            x->started = true;
        }
    }
    return true;
}

static const GArray *list_of(ScenShellVars *vars, const char *name)
{
    const GArray *list = g_hash_table_lookup(vars->lists, name);
    bool seen = list || g_ptr_array_find_with_equal_func(vars->unset, name, g_str_equal, NULL);
    if (!seen && g_ascii_isalpha(name[0]))
        g_ptr_array_add(vars->unset, g_strdup(name));
    return list;
}

static const ScenShellWord *element(const GArray *list, guint i)
{
    return list && i < list->len ? &g_array_index(list, ScenShellWord, i) : NULL;
}

/* All elements of @list, in quotes a word each; each with the place where it was written. */
static bool add_all(Expansion *x, const GArray *list, bool quoted)
{
    const ScenShellWord *outer = x->at;
    bool done = true;
    for (guint i = 0; list && i < list->len && done; i++) {
        if (i > 0 && x->words)
            end_word(x);
        else if (i > 0)
            g_string_append_c(x->word, ' ');
        x->at = element(list, i);
        done = add(x, x->at->text, strlen(x->at->text), quoted);
    }
    if (list && list->len > 0 && x->words)
        end_word(x);
    x->at = outer;
    return done;
}

/* Arithmetic: a sum of products of numbers, variables and parentheses. */
typedef struct Sum {
    ScenShellVars *vars;
    const char *at;
    int depth;
} Sum;

static int64_t sum(Sum *s);

static int64_t factor(Sum *s)
{
    while (g_ascii_isspace(*s->at) || *s->at == '$' || *s->at == '{' || *s->at == '}' ||
           *s->at == '"')
        s->at++;
    if (*s->at == '-' && s->depth++ < SCEN_SHELL_DEPTH_MAX) {
        s->at++;
        return (int64_t)(0 - (uint64_t)factor(s));
    }
    if (*s->at == '(' && s->depth++ < SCEN_SHELL_DEPTH_MAX) {
        s->at++;
        int64_t value = sum(s);
        s->at += *s->at == ')';
        return value;
    }
    if (g_ascii_isdigit(*s->at)) {
        char *end = NULL;
        int64_t value = g_ascii_strtoll(s->at, &end, 10);
        s->at = end;
        return value;
    }
    size_t length = strspn(s->at, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
    g_autofree char *name = g_strndup(s->at, length);
    s->at += length;
    const ScenShellWord *value = length > 0 ? element(list_of(s->vars, name), 0) : NULL;
    return value ? g_ascii_strtoll(value->text, NULL, 10) : 0;
}

/* Wraps like the shell's, without overflow in C. */
static int64_t apply(char op, int64_t left, int64_t right)
{
    if (op == '*')
        return (int64_t)((uint64_t)left * (uint64_t)right);
    if (op == '+')
        return (int64_t)((uint64_t)left + (uint64_t)right);
    if (op == '-')
        return (int64_t)((uint64_t)left - (uint64_t)right);
    if (right == 0 || right == -1)
        return right == 0 || op == '%' ? 0 : (int64_t)(0 - (uint64_t)left);
    return op == '/' ? left / right : left % right;
}

static int64_t product(Sum *s)
{
    int64_t value = factor(s);
    for (;;) {
        while (g_ascii_isspace(*s->at) || *s->at == '}' || *s->at == '"')
            s->at++;
        if (*s->at != '*' && *s->at != '/' && *s->at != '%')
            return value;
        char op = *s->at++;
        value = apply(op, value, factor(s));
    }
}

static int64_t sum(Sum *s)
{
    int64_t value = product(s);
    while (*s->at == '+' || *s->at == '-') {
        char op = *s->at++;
        value = apply(op, value, product(s));
    }
    return value;
}

static bool add_sum(Expansion *x, const char *text, gsize length, bool quoted)
{
    g_autofree char *inner = g_strndup(text, length);
    Sum s = {.vars = x->vars, .at = inner};
    int64_t value = sum(&s);
    while (g_ascii_isspace(*s.at))
        s.at++;
    if (*s.at == '\0') {
        char digits[32];
        g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, value);
        return add(x, digits, strlen(digits), quoted);
    }
    g_autofree char *raw = g_strdup_printf("$((%s))", inner);
    return add(x, raw, strlen(raw), true);
}

/* The default or alternative behind the name, "-y", ":=y", ":+y"; the value itself where there is
 * one. */
static bool add_with_default(Expansion *x, const char *name, const char *rest, const char *end,
                             bool quoted)
{
    const ScenShellWord *value = element(g_hash_table_lookup(x->vars->lists, name), 0);
    bool colon = *rest == ':';
    rest += colon;
    bool some = value && (!colon || value->text[0] != '\0');
    if (*rest == '+')
        return !some || expand(x, rest + 1, end, quoted);
    if (*rest != '-' && *rest != '=' && *rest != '?') { /* a pattern or a substring */
        g_autofree char *raw =
            g_strdup_printf("${%s%s%.*s}", name, colon ? ":" : "", (int)(end - rest), rest);
        return add(x, raw, strlen(raw), true);
    }
    if (some)
        return add(x, value->text, strlen(value->text), quoted);
    bool before = x->in_default;
    x->in_default = true;
    bool done = expand(x, rest + 1, end, quoted);
    x->in_default = before;
    return done;
}

/* ${...}, whose inside is from @text to @end. */
static bool add_braced(Expansion *x, const char *text, const char *end, bool quoted)
{
    bool count = *text == '#' && end - text > 1;
    text += count;
    size_t length = strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_@*#");
    length = MIN(length, (size_t)(end - text));
    g_autofree char *name = g_strndup(text, length);
    const char *rest = text + length;
    if (rest < end && *rest == '[') {
        const GArray *list = list_of(x->vars, name);
        bool all = rest[1] == '@' || rest[1] == '*';
        char digits[32];
        g_snprintf(digits, sizeof digits, "%u", list ? list->len : 0);
        if (count)
            return add(x, digits, strlen(digits), quoted);
        if (all)
            return add_all(x, list, quoted);
        gint64 i = g_ascii_strtoll(rest + 1, NULL, 10);
        const ScenShellWord *value = element(list, (guint)CLAMP(i, 0, G_MAXINT));
        return !value || add(x, value->text, strlen(value->text), quoted);
    }
    if (rest < end)
        return add_with_default(x, name, rest, end, quoted);
    const ScenShellWord *value = element(list_of(x->vars, name), 0);
    return !value || add(x, value->text, strlen(value->text), quoted);
}

/* What begins with the $ at @at; @next is behind it. */
static bool add_dollar(Expansion *x, const char *at, const char *next, bool quoted)
{
    if (at[1] == '(' && at[2] == '(' && next - at >= 6 && next[-2] == ')')
        return add_sum(x, at + 3, (gsize)(next - at) - 5, quoted);
    if (at[1] == '(')
        return add(x, at, (gsize)(next - at), true);
    if (at[1] == '{')
        return add_braced(x, at + 2, next - 1, quoted);
    return add_braced(x, at + 1, next, quoted);
}

/* Where a name after $ ends. */
static const char *name_end(const char *at)
{
    if (g_ascii_isdigit(*at) || *at == '@' || *at == '*' || *at == '#' || *at == '?')
        return at + 1;
    return at + strspn(at, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
}

static bool expand(Expansion *x, const char *text, const char *end, bool quoted)
{
    if (x->depth++ >= SCEN_SHELL_DEPTH_MAX)
        return false;
    bool done = true;
    for (const char *at = text; at < end && done;) {
        const char *next = at[0] == '$' && at[1] != '(' && at[1] != '{' ? name_end(at + 1)
                           : quoted && *at != '$' && *at != '\\'        ? at + 1
                                                                        : scen_shell_skip(at);
        if (!next || next > end)
            next = end;
        if (*at == '$' && next > at + 1)
            done = add_dollar(x, at, next, quoted);
        else if (*at == '\\' && at + 1 < end)
            done = at[1] == '\n' || add(x, at + 1, (gsize)(next - at) - 1, true);
        else if (*at == '\'' && !quoted)
            done = add(x, at + 1, (gsize)MAX(next - at - 2, 0), true);
        else if (*at == '"' && !quoted)
            done = add(x, at, 0, true) && expand(x, at + 1, MAX(next - 1, at + 1), true);
        else
            done = add(x, at, (gsize)(next - at), quoted || !x->in_default);
        at = next;
    }
    x->depth--;
    return done;
}

/* "${a[@]}" and $@ of no elements are no word at all. */
static bool is_list(const char *text)
{
    return g_str_has_prefix(text, "\"${") && g_str_has_suffix(text, "[@]}\"");
}

bool scen_shell_expand(ScenShellVars *vars, const ScenShellWord *raw, GArray *words)
{
    Expansion x = {.vars = vars, .at = raw, .words = words, .word = g_string_new(NULL)};
    bool done = expand(&x, raw->text, raw->text + strlen(raw->text), false);
    if (x.word->len > 0 || !is_list(raw->text))
        end_word(&x);
    g_string_free(x.word, TRUE);
    return done;
}

char *scen_shell_expand_one(ScenShellVars *vars, const ScenShellWord *raw)
{
    Expansion x = {.vars = vars, .at = raw, .word = g_string_new(NULL)};
    bool done = expand(&x, raw->text, raw->text + strlen(raw->text), false);
    return g_string_free(x.word, !done);
}
