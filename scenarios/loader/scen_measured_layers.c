/* Profiles of one model's layers, turned into shapes.
 *
 * LLMServingSim and Vidur time whole operators of a model cut over t tensor ranks. With hidden
 * width h, query and key/value heads a and v of width d, inner width f and vocabulary V, a layer
 * on x tokens is the product (m, n, k):
 *
 *   qkv_proj, attn_pre_proj      (x, (a + 2 v) d / t, h)    at least one key/value head a rank
 *   o_proj, attn_post_proj       (x, h, a d / t)
 *   gate_up_proj, mlp_up_proj    (x, 2 f / t, h)            f / t where the MLP is not gated
 *   up_proj                      (x, f / t, h)
 *   down_proj, mlp_down_proj     (x, h, f / t)
 *   lm_head                      (x, V / t, h)              x sequences, one token each
 *
 * and attention is a causal call of a / t heads a sequence, decode one of a single query. Norms,
 * rotary embedding, activations, embedding and sampling are passes over memory, for which there are
 * no tables: they are skipped, and so are calls that mix prefill with decode. Experts and latent
 * attention have other shapes, so their models are refused.
 *
 * Units: LLMServingSim (profiler 1.0) us, the shapes from the model; Vidur ms, the shapes in the
 * columns, measured in fp16 (vidur/profiling/mlp/mlp_wrapper.py). */
#include "scen_measured_private.h"

#include "scen_errors.h"

#include <string.h>

/* What a layer's product is made of. */
typedef struct Widths {
    int64_t hidden, heads, kv_heads, head_dim, ffn, vocab, tensor;
    bool gated;
} Widths;

typedef enum Layer {
    LAYER_QKV,
    LAYER_OUT,
    LAYER_UP,
    LAYER_UP_ALONE,
    LAYER_DOWN,
    LAYER_HEAD,
} Layer;

static const struct {
    const char *name;
    Layer layer;
} layers[] = {
    {"qkv_proj",     LAYER_QKV     },
    {"o_proj",       LAYER_OUT     },
    {"gate_up_proj", LAYER_UP      },
    {"up_proj",      LAYER_UP_ALONE},
    {"down_proj",    LAYER_DOWN    },
    {"lm_head",      LAYER_HEAD    },
};

static const char *const passes[] = {
    "embedding", "layernorm", "final_layernorm", "qk_norm", "rotary_emb", "act_fn", "sampler",
};

static KernGemmShape product_of(const Widths *w, Layer layer, int64_t tokens, TopoDtype dtype)
{
    KernGemmShape s = {.batch = 1, .m = tokens, .dtype = dtype};
    int64_t heads = w->heads / w->tensor, kv_heads = MAX(w->kv_heads / w->tensor, 1);
    switch (layer) {
    case LAYER_QKV:
        s.n = (heads + 2 * kv_heads) * w->head_dim;
        s.k = w->hidden;
        break;
    case LAYER_OUT:
        s.n = w->hidden;
        s.k = heads * w->head_dim;
        break;
    case LAYER_UP:
    case LAYER_UP_ALONE:
        s.n = (w->gated && layer == LAYER_UP ? 2 : 1) * w->ffn / w->tensor;
        s.k = w->hidden;
        break;
    case LAYER_DOWN:
        s.n = w->hidden;
        s.k = w->ffn / w->tensor;
        break;
    case LAYER_HEAD:
        s.n = w->vocab / w->tensor;
        s.k = w->hidden;
        break;
    }
    return s;
}

/* Refuses models whose layers are not those of the table above, or that t ranks cannot share. */
static bool widths_of(const ScenMeasuredReader *reader, Widths *w, GError **error)
{
    const ModelSpec *model = reader->profiled.model;
    int64_t tensor = reader->profiled.tensor;
    if (model->experts > 0 || model->kv_lora_rank > 0)
        return scen_csv_fail(reader->csv, error,
                             "layers of %s cannot be told from its configuration: %s", model->name,
                             model->experts > 0 ? "it has experts" : "its attention is latent");
    if (model->heads % tensor != 0 || model->ffn % tensor != 0)
        return scen_csv_fail(reader->csv, error,
                             "%s cannot be cut over %" G_GINT64_FORMAT " tensor ranks", model->name,
                             tensor);
    *w = (Widths){.hidden = model->hidden,
                  .heads = model->heads,
                  .kv_heads = model->kv_heads,
                  .head_dim = model->head_dim,
                  .ffn = model->ffn,
                  .vocab = model->vocab,
                  .tensor = tensor,
                  .gated = model->gated_mlp};
    return true;
}

bool scen_measured_take_layer(ScenMeasuredReader *reader, GError **error)
{
    const ScenCsv *csv = reader->csv;
    int count = scen_csv_column(csv, "tokens");
    if (count < 0)
        count = scen_csv_column(csv, "sequences");
    Widths widths = {0};
    double seconds = 0.0;
    int64_t tokens = 0;
    if (!widths_of(reader, &widths, error) || !scen_csv_size(csv, count, 1, 0, &tokens, error) ||
        !scen_measured_seconds(reader, scen_csv_column(csv, "time_us"), 1e-6, &seconds, error))
        return false;
    const char *name = scen_csv_text(csv, scen_csv_column(csv, "layer"));
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        if (g_str_equal(layers[i].name, name)) {
            KernGemmShape shape =
                product_of(&widths, layers[i].layer, tokens, reader->profiled.dtype);
            scen_measured_add_gemm(reader, &shape, seconds);
            return true;
        }
    for (size_t i = 0; i < G_N_ELEMENTS(passes); i++)
        if (g_str_equal(passes[i], name)) {
            reader->measured->skipped++;
            return true;
        }
    g_autofree char *quoted = scen_quote(name);
    return scen_csv_fail(csv, error, "no layer of a dense model is called %s", quoted);
}

bool scen_measured_take_mixed(ScenMeasuredReader *reader, GError **error)
{
    const ScenCsv *csv = reader->csv;
    Widths w = {0};
    double seconds = 0.0;
    int64_t chunk = 0, before = 0, decoding = 0, keys = 0;
    if (!widths_of(reader, &w, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "prefill_chunk"), 0, -1, &chunk, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "kv_prefill"), 0, -1, &before, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "n_decode"), 0, -1, &decoding, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "kv_decode"), 0, 0, &keys, error) ||
        !scen_measured_seconds(reader, scen_csv_column(csv, "time_us"), 1e-6, &seconds, error))
        return false;
    ScenMeasuredCall call = {.sequences = 1,
                             .batch = w.heads / w.tensor,
                             .kv_batch = MAX(w.kv_heads / w.tensor, 1),
                             .before = before,
                             .queries = chunk,
                             .head_dim = w.head_dim,
                             .dtype = reader->profiled.dtype};
    if (chunk == 0) {
        call.sequences = decoding;
        call.batch *= decoding;
        call.kv_batch *= decoding;
        call.before = keys;
        call.queries = 1;
    }
    if ((chunk > 0) == (decoding > 0))
        reader->measured->skipped++; /* both at once, or nothing */
    else
        scen_measured_add_call(reader, &call, seconds);
    return true;
}

/* The shape columns of Vidur, of either table. */
static bool vidur_widths(const ScenMeasuredReader *reader, bool attention, Widths *w,
                         GError **error)
{
    const ScenCsv *csv = reader->csv;
    const struct {
        const char *name;
        int64_t *value;
    } needed[] = {
        {"n_embd",                             &w->hidden  },
        {attention ? "n_q_head" : "n_head",    &w->heads   },
        {"n_kv_head",                          &w->kv_heads},
        {"num_tensor_parallel_workers",        &w->tensor  },
        {attention ? NULL : "n_expanded_embd", &w->ffn     },
    };
    *w = (Widths){0};
    for (size_t i = 0; i < G_N_ELEMENTS(needed) && needed[i].name; i++) {
        int at = scen_csv_column(csv, needed[i].name);
        if (at < 0)
            return scen_csv_fail(csv, error, "the table needs a column %s", needed[i].name);
        if (!scen_csv_size(csv, at, 1, 0, needed[i].value, error))
            return false;
    }
    if (w->hidden % w->heads != 0 || w->heads % w->tensor != 0 || w->ffn % w->tensor != 0)
        return scen_csv_fail(csv, error, "these widths cannot be cut over heads and ranks");
    w->head_dim = w->hidden / w->heads;
    const char *gated = scen_csv_text(csv, scen_csv_column(csv, "use_gated_mlp"));
    w->gated = g_ascii_strcasecmp(gated, "true") == 0 || g_str_equal(gated, "1");
    return true;
}

bool scen_measured_take_vidur(ScenMeasuredReader *reader, GError **error)
{
    static const struct {
        const char *column;
        Layer layer;
    } products[] = {
        {"time_stats.attn_pre_proj.median",  LAYER_QKV },
        {"time_stats.attn_post_proj.median", LAYER_OUT },
        {"time_stats.mlp_up_proj.median",    LAYER_UP  },
        {"time_stats.mlp_down_proj.median",  LAYER_DOWN},
    };
    const ScenCsv *csv = reader->csv;
    Widths widths = {0};
    int64_t tokens = 0;
    if (!vidur_widths(reader, false, &widths, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "num_tokens"), 1, 0, &tokens, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(products); i++) {
        int at = scen_csv_column(csv, products[i].column);
        double seconds = 0.0;
        if (at < 0 || *scen_csv_text(csv, at) == '\0') /* not every model has every layer */
            continue;
        if (!scen_measured_seconds(reader, at, 1e-3, &seconds, error))
            return false;
        KernGemmShape shape = product_of(&widths, products[i].layer, tokens, TOPO_DTYPE_FP16);
        scen_measured_add_gemm(reader, &shape, seconds);
    }
    return true;
}

bool scen_measured_take_vidur_attention(ScenMeasuredReader *reader, GError **error)
{
    const ScenCsv *csv = reader->csv;
    int time = scen_csv_column(csv, "time_stats.attn_prefill.median");
    Widths w = {0};
    double seconds = 0.0;
    int64_t chunk = 0, before = 0, sequences = 0;
    if (!vidur_widths(reader, true, &w, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "prefill_chunk_size"), 0, -1, &chunk, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "kv_cache_size"), 0, -1, &before, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "batch_size"), 1, 1, &sequences, error))
        return false;
    bool decode = chunk == 0;
    if (decode)
        time = scen_csv_column(csv, "time_stats.attn_decode.median");
    if (time < 0 || *scen_csv_text(csv, time) == '\0') {
        reader->measured->skipped++;
        return true;
    }
    if (!scen_measured_seconds(reader, time, 1e-3, &seconds, error))
        return false;
    ScenMeasuredCall call = {.batch = sequences * w.heads / w.tensor,
                             .kv_batch = sequences * MAX(w.kv_heads / w.tensor, 1),
                             .before = before,
                             .queries = decode ? 1 : chunk,
                             .head_dim = w.head_dim,
                             .dtype = TOPO_DTYPE_FP16};
    scen_measured_add_call(reader, &call, seconds);
    return true;
}

/* The value of the line "model: ORGANISATION/NAME" of @text, NAME in lower case. */
static char *model_in(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        if (!g_str_has_prefix(lines[i], "model:"))
            continue;
        const char *name = strrchr(lines[i], '/');
        g_autofree char *bare = g_strstrip(g_strdup(name ? name + 1 : lines[i] + strlen("model:")));
        return g_ascii_strdown(bare, -1);
    }
    return NULL;
}

char *scen_measured_model_beside(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    for (int up = 0; up < 2; up++) {
        g_autofree char *meta = g_build_filename(folder, up ? ".." : ".", "meta.yaml", NULL);
        g_autofree char *text = NULL;
        gsize length = 0;
        if (g_file_get_contents(meta, &text, &length, NULL) &&
            g_utf8_validate_len(text, length, NULL))
            return model_in(text);
    }
    return NULL;
}
