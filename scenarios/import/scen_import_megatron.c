/* A Megatron-LM command line as a scenario.
 *
 * A script is followed (scen_shell.c) and the last command with --num-layers in it is taken, or a
 * word with blanks that holds one (bash -c "..."); behind -- stand arguments that come after those
 * of the script, or alone. GPUs are processes of a node (--nproc_per_node, --ntasks-per-node) times
 * nodes (--nnodes, --nodes), of the command or of #SBATCH lines.
 *
 * Every flag is told to be read, to matter without being modelled (a note), to say nothing about a
 * step, or to be unknown (a note): scen_megatron_flags.c. */
#include "scen_import.h"
#include "scen_megatron.h"

#include "scen_doc.h"
#include "scen_errors.h"
#include "scen_note.h"

#include <math.h>
#include <string.h>

#define I64 "%" G_GINT64_FORMAT
enum { SIZE_BITS = 31 };

/* The words that are read. */
typedef struct Words {
    ScenShell *shell; /* NULL: arguments alone */
    GArray *all;      /* of ScenShellWord */
} Words;

static void words_clear(Words *words)
{
    scen_shell_free(words->shell);
    if (words->all)
        g_array_unref(words->all);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

/* --num_layers is --num-layers. The caller owns it. */
static char *dashed(const char *name)
{
    return g_strdelimit(g_strdup(name), "_", '-');
}

void scen_megatron_fail(ScenMegatron *m, const ScenMegatronFlag *flag, const char *format, ...)
{
    if (m->error)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autoptr(GString) message = g_string_new(NULL);
    if (flag && flag->name->line > 0)
        g_string_append_printf(message, "%s:" I64 ":" I64 ": ", m->file, flag->name->line,
                               flag->name->column);
    else
        g_string_append_printf(message, "%s: ", m->file);
    g_string_append_printf(message, "%s%s%s", flag ? flag->name->text : "", flag ? ": " : "", text);
    for (guint i = 0; m->unset && i < m->unset->len; i++)
        g_string_append_printf(message, "%s%s", i ? ", " : "; not set in the script: ",
                               (const char *)m->unset->pdata[i]);
    if (m->unset && m->unset->len > 0)
        g_string_append(message, " (--var NAME=VALUE)");
    m->error = g_error_new_literal(SCEN_ERROR, SCEN_ERROR_WRONG, message->str);
}

const ScenMegatronFlag *scen_megatron_flag(const ScenMegatron *m, const char *name)
{
    for (guint i = m->flags->len; i > 0; i--) {
        const ScenMegatronFlag *flag = &g_array_index(m->flags, ScenMegatronFlag, i - 1);
        g_autofree char *called = dashed(flag->name->text);
        if (g_str_equal(called, name))
            return flag;
    }
    return NULL;
}

bool scen_megatron_has(const ScenMegatron *m, const char *name)
{
    return scen_megatron_flag(m, name) != NULL;
}

const char *scen_megatron_text(ScenMegatron *m, const char *name, const char *absent)
{
    const ScenMegatronFlag *flag = scen_megatron_flag(m, name);
    if (!flag)
        return absent;
    if (flag->values->len == 0) {
        scen_megatron_fail(m, flag, "needs a value");
        return absent;
    }
    return ((const ScenShellWord *)flag->values->pdata[0])->text;
}

int64_t scen_megatron_integer(ScenMegatron *m, const char *name, int64_t least, int64_t absent)
{
    const ScenMegatronFlag *flag = scen_megatron_flag(m, name);
    if (!flag)
        return absent;
    const char *text = scen_megatron_text(m, name, "");
    char *end = NULL;
    int64_t value = g_ascii_strtoll(text, &end, 10);
    if (end != text && *end == '\0' && value >= least && value <= (INT64_C(1) << SIZE_BITS))
        return value;
    g_autofree char *quoted = scen_quote(text);
    scen_megatron_fail(m, flag, "a whole number from " I64 " to 2^%d expected, not %s", least,
                       SIZE_BITS, quoted);
    return absent;
}

int64_t scen_megatron_required(ScenMegatron *m, const char *name)
{
    if (!scen_megatron_has(m, name))
        scen_megatron_fail(m, NULL, "the command line has no %s", name);
    return scen_megatron_integer(m, name, 1, 1);
}

double scen_megatron_number(ScenMegatron *m, const char *name, double absent)
{
    const ScenMegatronFlag *flag = scen_megatron_flag(m, name);
    if (!flag)
        return absent;
    const char *text = scen_megatron_text(m, name, "");
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(value))
        return value;
    g_autofree char *quoted = scen_quote(text);
    scen_megatron_fail(m, flag, "a number expected, not %s", quoted);
    return absent;
}

static bool is_flag(const char *text)
{
    return text[0] == '-' &&
           (g_ascii_isalpha(text[1]) || (text[1] == '-' && g_ascii_isalpha(text[2])));
}

static void flag_clear(void *flag)
{
    g_ptr_array_unref(((ScenMegatronFlag *)flag)->values);
}

/* Flags of @words from @from on; those of --name=value are put apart in place. */
static void read_flags(ScenMegatron *m, GArray *words)
{
    for (guint i = 0; i < words->len; i++) {
        char *equals = strchr(g_array_index(words, ScenShellWord, i).text, '=');
        if (!is_flag(g_array_index(words, ScenShellWord, i).text) || !equals)
            continue;
        const ScenShellWord *word = &g_array_index(words, ScenShellWord, i);
        ScenShellWord value = {g_strdup(equals + 1), word->line, word->column};
        *equals = '\0';
        g_array_insert_val(words, i + 1, value);
    }
    for (guint i = 0; i < words->len; i++) {
        const ScenShellWord *word = &g_array_index(words, ScenShellWord, i);
        if (is_flag(word->text)) {
            ScenMegatronFlag flag = {word, g_ptr_array_new()};
            g_array_append_val(m->flags, flag);
        } else if (m->flags->len > 0) {
            ScenMegatronFlag *last = &g_array_index(m->flags, ScenMegatronFlag, m->flags->len - 1);
            g_ptr_array_add(last->values, (void *)word);
        }
    }
}

/* Notes on the flags behind the program (FILE.py), or on all where no program is. */
static void note_flags(ScenMegatron *m, const GArray *words)
{
    guint program = 0;
    for (guint i = 0; i < words->len; i++)
        if (g_str_has_suffix(g_array_index(words, ScenShellWord, i).text, ".py")) {
            program = i;
            break;
        }
    for (guint i = program; i < words->len; i++) {
        const ScenShellWord *word = &g_array_index(words, ScenShellWord, i);
        g_autofree char *name = dashed(word->text);
        const char *why = NULL;
        if (!g_str_has_prefix(word->text, "--"))
            continue;
        ScenMegatronUse use = scen_megatron_use(name, &why);
        if (use == SCEN_MEGATRON_NOTED)
            scen_note(m->notes, "%s: %s", name, why);
        else if (use == SCEN_MEGATRON_UNKNOWN)
            scen_note(m->notes, "%s is not known to Orrery, which may matter", name);
    }
}

static bool names_layers(const GArray *words)
{
    for (guint i = 0; i < words->len; i++) {
        g_autofree char *name = dashed(g_array_index(words, ScenShellWord, i).text);
        if (g_str_equal(name, "--num-layers") || g_str_has_prefix(name, "--num-layers="))
            return true;
    }
    return false;
}

/* The words of @words, those with blanks taken apart. */
static GArray *split_words(const GArray *words)
{
    GArray *split = scen_shell_words_new();
    for (guint i = 0; i < words->len; i++) {
        const ScenShellWord *word = &g_array_index(words, ScenShellWord, i);
        g_auto(GStrv) parts = g_strsplit_set(word->text, " \t\n\\\"", -1);
        for (size_t p = 0; parts[p]; p++)
            if (*parts[p])
                scen_shell_append(split, word, parts[p]);
    }
    return split;
}

/* The words of #SBATCH lines and of the last command that trains; NULL when there is none. */
static GArray *find_command(const ScenShell *shell)
{
    g_autoptr(GArray) words = scen_shell_words_new();
    GArray *found = NULL;
    for (guint i = 0; i < shell->commands->len; i++) {
        GArray *command = shell->commands->pdata[i];
        g_autoptr(GArray) split = split_words(command);
        bool batch = command->len > 0 &&
                     g_str_equal(g_array_index(command, ScenShellWord, 0).text, "#SBATCH");
        for (guint w = 0; batch && w < command->len; w++)
            scen_shell_append(words, &g_array_index(command, ScenShellWord, w),
                              g_array_index(command, ScenShellWord, w).text);
        if (names_layers(command) || names_layers(split)) {
            if (found)
                g_array_unref(found);
            found = names_layers(command) ? g_array_ref(command) : g_steal_pointer(&split);
        }
    }
    for (guint w = 0; found && w < found->len; w++)
        scen_shell_append(words, &g_array_index(found, ScenShellWord, w),
                          g_array_index(found, ScenShellWord, w).text);
    if (!found)
        return NULL;
    g_array_unref(found);
    return g_steal_pointer(&words);
}

static bool read_words(const ScenImportRequest *request, Words *words, ScenMegatron *m,
                       GError **error)
{
    if (request->files[0]) {
        size_t length = 0;
        m->file = request->files[0];
        g_autofree char *text = scen_file_read(m->file, &length, error);
        if (!text) {
            g_prefix_error(error, "%s: ", m->file);
            return false;
        }
        words->shell = scen_shell_read(m->file, text, request->variables, error);
        if (!words->shell)
            return false;
        m->unset = words->shell->unset;
        for (guint i = 0; i < words->shell->notes->len; i++)
            scen_note(m->notes, "%s", (const char *)words->shell->notes->pdata[i]);
        words->all = find_command(words->shell);
        if (!words->all) {
            g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                        "%s: no command with --num-layers is in it", m->file);
            return false;
        }
    }
    if (!words->all)
        words->all = scen_shell_words_new();
    for (size_t i = 0; request->arguments && request->arguments[i]; i++)
        scen_shell_append(words->all, &(ScenShellWord){NULL, 0, 0}, request->arguments[i]);
    return true;
}

/* The first of @names that is there, as a whole number; @absent when none is. */
static int64_t first_integer(ScenMegatron *m, const char *const *names, int64_t absent)
{
    for (; *names; names++)
        if (scen_megatron_has(m, *names))
            return scen_megatron_integer(m, *names, 1, absent);
    return absent;
}

static ScenMegatronShape shape_of(ScenMegatron *m, int64_t gpus)
{
    static const char *const processes[] = {"--nproc-per-node", "--ntasks-per-node",
                                            "--gpus-per-node", NULL};
    static const char *const nodes[] = {"--nnodes", "--nodes", "-N", NULL};
    ScenMegatronShape shape = {
        .layers = scen_megatron_required(m, "--num-layers"),
        .tensor = scen_megatron_integer(m, "--tensor-model-parallel-size", 1, 1),
        .context = scen_megatron_integer(m, "--context-parallel-size", 1, 1),
        .pipeline = scen_megatron_integer(m, "--pipeline-model-parallel-size", 1, 1),
        .expert = scen_megatron_integer(m, "--expert-model-parallel-size", 1, 1),
        .experts = scen_megatron_integer(m, "--num-experts", 1, 0),
    };
    int64_t each = first_integer(m, processes, 0);
    m->gpus = gpus > 0 ? gpus : each * first_integer(m, nodes, 1);
    if (m->gpus == 0)
        scen_megatron_fail(m, NULL, "how many GPUs? no --nproc_per_node is there: --gpus N");
    double group = (double)shape.tensor * (double)shape.context * (double)shape.pipeline;
    if (m->gpus > 0 && fmod((double)m->gpus, group) != 0.0)
        scen_megatron_fail(m, scen_megatron_flag(m, "--tensor-model-parallel-size"),
                           I64 " GPUs are no multiple of tensor " I64 " x context " I64
                               " x pipeline " I64 "; --gpus N says otherwise",
                           m->gpus, shape.tensor, shape.context, shape.pipeline);
    shape.data = m->error ? 1 : m->gpus / (int64_t)group;
    shape.chunks = scen_megatron_chunks(m, shape.layers, shape.pipeline);
    return shape;
}

static void write_scenario(ScenMegatron *m, const ScenImportRequest *request, GString *out)
{
    ScenMegatronShape shape = shape_of(m, request->gpus);
    scen_megatron_model(m, &shape, out);
    g_string_append_printf(out, "cluster: {node: %s, gpus: " I64 "}\nplan:\n  base: %s\n",
                           request->node ? request->node : "dgx-h100", m->gpus,
                           request->base ? request->base : "megatron-core-2024");
    scen_megatron_plan(m, &shape, out);
}

bool scen_import_megatron(const ScenImportRequest *request, ScenImport *import, GError **error)
{
    ScenMegatron m = {.file = "command line", .notes = import->notes};
    g_auto(Words) words = {0};
    if (!read_words(request, &words, &m, error))
        return false;
    m.flags = g_array_new(FALSE, FALSE, sizeof(ScenMegatronFlag));
    g_array_set_clear_func(m.flags, flag_clear);
    read_flags(&m, words.all);
    note_flags(&m, words.all);
    if (!request->node)
        scen_note(import->notes, "no --node was given, so the nodes are dgx-h100");
    write_scenario(&m, request, import->yaml);
    import->is_whole = true;
    g_array_unref(m.flags);
    if (m.error)
        g_propagate_error(error, m.error);
    return m.error == NULL;
}
