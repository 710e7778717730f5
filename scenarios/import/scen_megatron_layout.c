/* Where layers stand in a pipeline, by Megatron-LM's flags.
 *
 *   --num-layers-per-virtual-pipeline-stage n, --num-virtual-stages-per-pipeline-rank v
 *   --decoder-first-pipeline-num-layers a, --decoder-last-pipeline-num-layers b
 *   --pipeline-model-parallel-layout "Et*3|(tt|)*29,m|L": chunks between bars in the order of the
 *                  model; t a layer, E the embedding, L the loss, m a module of MTP; (x)*n and x*n
 *                  repeat, commas say nothing
 *   --account-for-embedding-in-pipeline-split, --account-for-loss-in-pipeline-split
 *
 * Source: megatron/core/transformer/pipeline_parallel_layer_layout.py, and arguments.py. MTP modules are
 * left out. */
#include "scen_megatron.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

enum { LAYOUT_CHARACTERS_MAX = 1 << 16, LAYOUT_DEPTH_MAX = 16 };

/* The layout without brackets and repeats, appended to @out, up to @close; where it goes on. */
static const char *unroll(const char *at, char close, int depth, GString *out)
{
    while (at && *at && *at != close) {
        gsize begin = out->len;
        if (*at == '(') {
            at = depth < LAYOUT_DEPTH_MAX ? unroll(at + 1, ')', depth + 1, out) : NULL;
            if (!at || *at != ')')
                return NULL;
        } else if (strchr("EtmL|", *at)) {
            g_string_append_c(out, *at);
        } else if (*at != ',' && *at != ' ' && *at != '\'' && *at != '"') {
            return NULL;
        }
        at++;
        if (*at != '*')
            continue;
        char *end = NULL;
        gint64 times = g_ascii_strtoll(at + 1, &end, 10);
        g_autofree char *piece = g_strdup(out->str + begin);
        if (end == at + 1 || times < 0 || times > LAYOUT_CHARACTERS_MAX ||
            (gsize)times * (strlen(piece) + 1) > LAYOUT_CHARACTERS_MAX)
            return NULL;
        g_string_truncate(out, begin);
        for (gint64 i = 0; i < times; i++)
            g_string_append(out, piece);
        if (out->len > LAYOUT_CHARACTERS_MAX)
            return NULL;
        at = end;
    }
    return at;
}

/* The layout of the command line, unrolled; NULL when there is none, or it is wrong. The caller
 * owns it. */
static GString *layout_of(ScenMegatron *m)
{
    const ScenMegatronFlag *flag = scen_megatron_flag(m, "--pipeline-model-parallel-layout");
    if (!flag)
        return NULL;
    GString *out = g_string_new(NULL);
    const char *end =
        unroll(scen_megatron_text(m, "--pipeline-model-parallel-layout", ""), '\0', 0, out);
    if (end && *end == '\0' && out->len > 0)
        return out;
    scen_megatron_fail(
        m, flag, "a layout such as Et*3|(tt|)*29,m|L expected, of E t m L | ( ) * and numbers");
    g_string_free(out, TRUE);
    return NULL;
}

int64_t scen_megatron_chunks(ScenMegatron *m, int64_t layers, int64_t pipeline)
{
    int64_t a_chunk = scen_megatron_integer(m, "--num-layers-per-virtual-pipeline-stage", 1, 0);
    int64_t chunks = scen_megatron_integer(m, "--num-virtual-stages-per-pipeline-rank", 1, 0);
    GString *layout = layout_of(m);
    if (layout) {
        int64_t bars = 1;
        for (gsize i = 0; i < layout->len; i++)
            bars += layout->str[i] == '|';
        g_string_free(layout, TRUE);
        if (bars % pipeline != 0)
            scen_megatron_fail(m, scen_megatron_flag(m, "--pipeline-model-parallel-layout"),
                               I64 " chunks do not fill " I64 " stages evenly", bars, pipeline);
        return bars / pipeline > 0 ? bars / pipeline : 1;
    }
    if (chunks > 0)
        return chunks;
    if (a_chunk == 0)
        return 1;
    bool whole = layers % pipeline == 0 && layers / pipeline % a_chunk == 0;
    if (!whole)
        scen_megatron_fail(m, scen_megatron_flag(m, "--num-layers-per-virtual-pipeline-stage"),
                           I64 " layers are not " I64 " stages of some chunks of " I64, layers,
                           pipeline, a_chunk);
    return whole ? layers / pipeline / a_chunk : 1;
}

/* Layers of each chunk of @layout, as stage_layers takes them. */
static void write_layout(const GString *layout, GString *out)
{
    g_string_append(out, "  stage_layers: ");
    int64_t layers = 0;
    for (gsize i = 0; i <= layout->len; i++) {
        if (layout->str[i] == '|' || layout->str[i] == '\0') {
            g_string_append_printf(out, I64 "%s", layers, i < layout->len ? " " : "\n");
            layers = 0;
        }
        layers += layout->str[i] == 't';
    }
}

/* The first stage has @first layers, the last @last (0: as many as the others). */
static void write_ends(ScenMegatron *m, const ScenMegatronShape *shape, int64_t first, int64_t last,
                       GString *out)
{
    int64_t stages = shape->pipeline - (first > 0) - (last > 0);
    int64_t rest = shape->layers - first - last, v = shape->chunks;
    if (stages < 0 || rest < 0 || (stages == 0 ? rest != 0 : rest % (stages * v) != 0) ||
        first % v != 0 || last % v != 0) {
        scen_megatron_fail(m,
                           scen_megatron_flag(m, first > 0 ? "--decoder-first-pipeline-num-layers"
                                                           : "--decoder-last-pipeline-num-layers"),
                           I64 " layers do not divide over the other " I64 " stages", rest, stages);
        return;
    }
    int64_t middle = stages > 0 ? rest / stages / v : 0;
    g_string_append(out, "  stage_layers: ");
    for (int64_t chunk = 0; chunk < v; chunk++) {
        int64_t begin = first > 0 ? first / v : middle, end = last > 0 ? last / v : middle;
        int64_t between = stages - (first > 0 ? 0 : 1) - (last > 0 ? 0 : 1);
        g_string_append_printf(out, "%s" I64, chunk > 0 ? " " : "", begin);
        if (between > 0)
            g_string_append_printf(out, " " I64 "*" I64, middle, between);
        g_string_append_printf(out, " " I64, end);
    }
    g_string_append(out, "\n");
}

void scen_megatron_layout(ScenMegatron *m, const ScenMegatronShape *shape, GString *out)
{
    int64_t first = scen_megatron_integer(m, "--decoder-first-pipeline-num-layers", 1, 0);
    int64_t last = scen_megatron_integer(m, "--decoder-last-pipeline-num-layers", 1, 0);
    GString *layout = layout_of(m);
    if (layout)
        write_layout(layout, out);
    else if ((first > 0 || last > 0) && shape->pipeline > 1)
        write_ends(m, shape, first, last, out);
    if (layout)
        g_string_free(layout, TRUE);
    if (scen_megatron_has(m, "--account-for-embedding-in-pipeline-split"))
        g_string_append(out, "  count_embedding: true\n");
    if (scen_megatron_has(m, "--account-for-loss-in-pipeline-split"))
        g_string_append(out, "  count_head: true\n");
}
