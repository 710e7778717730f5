/* The table of `fitted_on:` of a kernel profile: the sizes behind its coefficients. */
#include "kern_profile.h"
#include "scen_fields.h"

#define SIZE(key, member, text)                                                                    \
    SCEN_FIELD(key, KernFittedOn, member, SCEN_INT, .required = true, .min = 1,                    \
               .max = 1099511627776.0, .help = text)

static const ScenField gemm_fields[] = {
    SIZE("m_from", gemm_m.from, "least m of the products that were fitted"),
    SIZE("m_to", gemm_m.to, "largest m"),
    SIZE("n_from", gemm_n.from, "least n"),
    SIZE("n_to", gemm_n.to, "largest n"),
    SIZE("k_from", gemm_k.from, "least k"),
    SIZE("k_to", gemm_k.to, "largest k"),
};

static const ScenField attention_fields[] = {
    SIZE("batch_from", attention_batch.from, "least heads of all sequences"),
    SIZE("batch_to", attention_batch.to, "most heads of all sequences"),
    SIZE("keys_from", attention_keys.from, "least keys of a sequence"),
    SIZE("keys_to", attention_keys.to, "most keys of a sequence"),
    SIZE("head_dim_from", attention_head_dim.from, "narrowest head"),
    SIZE("head_dim_to", attention_head_dim.to, "widest head"),
};

static const ScenTable gemm_table = {
    .what = "fitted_on.gemm",
    .fields = gemm_fields,
    .count = G_N_ELEMENTS(gemm_fields),
    .size = sizeof(KernFittedOn),
};

static const ScenTable attention_table = {
    .what = "fitted_on.attention",
    .fields = attention_fields,
    .count = G_N_ELEMENTS(attention_fields),
    .size = sizeof(KernFittedOn),
};

static const ScenField fields[] = {
    SCEN_GROUP("gemm", &gemm_table, .help = "products"),
    SCEN_GROUP("attention", &attention_table, .help = "prefill attention"),
};

const ScenTable scen_fitted_on_table = {
    .what = "fitted_on",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(KernFittedOn),
};
