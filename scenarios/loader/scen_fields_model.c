/* The table of a model.
 *
 * Keys follow model_spec.h. Shapes that most models derive have the usual defaults: as many key and
 * value heads as heads (MHA), heads that split the hidden width evenly, an MLP four times as wide.
 * Upper bounds are far above any model; together with the checks on products in scen_check.c they
 * keep every later product within int64. */
#include "model_spec.h"
#include "scen_fields.h"

#include <math.h>

static const ScenName positions[] = {
    {"learned", MODEL_POSITION_LEARNED},
    {"rotary",  MODEL_POSITION_ROTARY },
    {"alibi",   MODEL_POSITION_ALIBI  },
    {NULL,      0                     },
};

static const ScenName norms[] = {
    {"layernorm", MODEL_NORM_LAYERNORM},
    {"rmsnorm",   MODEL_NORM_RMSNORM  },
    {NULL,        0                   },
};

static const ScenName biases[] = {
    {"all",  0},
    {"qkv",  0},
    {"none", 0},
    {NULL,   0}
};

static bool bind_bias(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)binder;
    (void)field;
    ModelSpec *model = slot;
    const char *text = node->text ? node->text : "";
    model->linear_bias = g_str_equal(text, "all");
    model->qkv_bias = g_str_equal(text, "qkv");
    return model->linear_bias || model->qkv_bias || g_str_equal(text, "none");
}

/* Takes whole groups of query heads with their key and value head, channels of the MLP and layers
 * out (structured pruning: Ma 2023, LLM-Pruner, arXiv 2305.11627, section 3; Muralidharan 2024,
 * Minitron, arXiv 2407.14679, section 2). At least one of each stays. */
static void prune(ModelSpec *model)
{
    int64_t queries = model->kv_heads > 0 ? model->heads / model->kv_heads : 1;
    model->kv_heads =
        MAX(1, (int64_t)lround((double)model->kv_heads * (1.0 - model->pruned_heads)));
    if (model->pruned_heads > 0.0)
        model->heads = queries * model->kv_heads;
    model->ffn = MAX(1, (int64_t)lround((double)model->ffn * (1.0 - model->pruned_ffn)));
    model->layers = MAX(1, (int64_t)lround((double)model->layers * (1.0 - model->pruned_layers)));
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ModelSpec *model = out;
    if (model->kv_heads == 0)
        model->kv_heads = model->heads;
    if (model->ffn == 0)
        model->ffn = 4 * model->hidden;
    if (model->head_dim == 0 && model->heads > 0 && model->hidden % model->heads == 0)
        model->head_dim = model->hidden / model->heads;
    if (model->pruned_heads > 0.0 || model->pruned_ffn > 0.0 || model->pruned_layers > 0.0)
        prune(model);
    if (model->head_dim == 0 && model->heads > 0 && model->hidden > 0)
        scen_bind_fail(binder, map, "heads",
                       "%" G_GINT64_FORMAT " heads do not divide hidden %" G_GINT64_FORMAT
                       ": say head_dim",
                       model->heads, model->hidden);
}

#define FIELD(member, of_kind, ...) SCEN_FIELD(#member, ModelSpec, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD(name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    FIELD(source, SCEN_TEXT, .help = "where the shapes come from"),
    FIELD(layers, SCEN_INT, .required = true, .min = 1, .max = 1e5, .help = "transformer layers"),
    FIELD(hidden, SCEN_INT, .required = true, .min = 1, .max = 1e6,
          .help = "width of the residual stream, in elements"),
    FIELD(heads, SCEN_INT, .required = true, .min = 1, .max = 1e5, .help = "query heads"),
    FIELD(kv_heads, SCEN_INT, .min = 1, .max = 1e5, .help = "key and value heads (default: heads)"),
    FIELD(head_dim, SCEN_INT, .min = 1, .max = 1e6,
          .help = "width of one head (default: hidden / heads)"),
    FIELD(ffn, SCEN_INT, .min = 1, .max = 1e7,
          .help = "inner width of the MLP (default: 4 * hidden)"),
    FIELD(vocab, SCEN_INT, .max = 1e8,
          .help = "tokens in the vocabulary; 0 leaves embedding and head out"),
    FIELD(max_sequence, SCEN_INT, .max = 1e8, .help = "longest sequence, in tokens"),
    FIELD(gated_mlp, SCEN_BOOL, .fallback = "false",
          .help = "three MLP matrices (SwiGLU) instead of two"),
    FIELD(tied_embeddings, SCEN_BOOL, .fallback = "false",
          .help = "the head shares the embedding's matrix"),
    {.key = "bias",
                                                      .kind = SCEN_CUSTOM,
                                                      .bind = bind_bias,
                                                      .names = biases,
                                                      .expected = "one of all, qkv, none",
                                                      .fallback = "all",
                                                      .help = "which linear layers have a bias"},
    FIELD(qk_norm, SCEN_BOOL, .fallback = "false", .help = "a norm over each head's query and key"),
    FIELD(embedding_norm, SCEN_BOOL, .fallback = "false",
          .help = "a norm right after the embedding"),
    FIELD(position, SCEN_ENUM, .names = positions, .fallback = "learned",
          .help = "how a token learns its position"),
    FIELD(norm, SCEN_ENUM, .names = norms, .fallback = "layernorm", .help = "kind of norm"),
    FIELD(experts, SCEN_INT, .max = 1e4, .help = "routed experts a layer; 0 is dense"),
    FIELD(experts_per_token, SCEN_INT, .max = 1e4, .help = "routed experts that one token visits"),
    FIELD(expert_ffn, SCEN_INT, .max = 1e7, .help = "inner width of one routed expert"),
    FIELD(shared_experts, SCEN_INT, .max = 1e4, .help = "experts that every token visits"),
    FIELD(dense_layers, SCEN_INT, .max = 1e5, .help = "leading layers that keep the dense MLP"),
    FIELD(q_lora_rank, SCEN_INT, .max = 1e6, .help = "MLA: rank of the query compression"),
    FIELD(kv_lora_rank, SCEN_INT, .max = 1e6, .help = "MLA: rank of the key and value compression"),
    FIELD(rope_head_dim, SCEN_INT, .max = 1e6, .help = "MLA: rotary part of a head"),
    FIELD(value_head_dim, SCEN_INT, .max = 1e6, .help = "MLA: width of a value head"),
    FIELD(pruned_heads, SCEN_NUMBER, .max = 0.99,
          .help = "share of the groups of heads that are pruned away"),
    FIELD(pruned_ffn, SCEN_NUMBER, .max = 0.99, .help = "share of the MLP's inner width that is"),
    FIELD(pruned_layers, SCEN_NUMBER, .max = 0.99, .help = "share of the layers that are"),
    FIELD(published_parameters, SCEN_NUMBER, .max = 1e16,
          .help = "parameters that the source prints"),
};

const ScenTable scen_model_table = {
    .what = "model",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ModelSpec),
    .catalog = SCEN_CATALOG_MODEL,
    .finish = finish,
};
