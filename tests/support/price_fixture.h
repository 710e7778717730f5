/** A model on the toy GPU and the price of its iterations, with what they are held against. */
#ifndef PRICE_FIXTURE_H
#define PRICE_FIXTURE_H

#include "kern_decode.h"
#include "kern_gemm.h"
#include "kern_moe.h"
#include "kern_pass.h"
#include "kern_prefill.h"
#include "strat_price.h"
#include "strat_serve_memory.h"
#include "toy_world.h"
#include <criterion/criterion.h>
#include <math.h>

/* A Llama of 8 layers on the toy GPU. */
typedef struct Fixture {
    ToyWorld world;
    StratEngine engine;
    StratDeployment deployment;
    StratPriceSpec spec;
    StratPricer *pricer;
} Fixture;

static inline void fixture_init(Fixture *f)
{
    *f = (Fixture){.world = toy_world()};
    ModelSpec *model = &f->world.model;
    model->linear_bias = false;
    model->gated_mlp = true;
    model->position = MODEL_POSITION_ROTARY;
    model->norm = MODEL_NORM_RMSNORM;
    model->kv_heads = 4;
    model->tied_embeddings = false;
    f->world.cluster.node.host_bytes_per_s = 1e10;
    f->engine = (StratEngine){.name = "toy",
                              .max_sequences = 64,
                              .max_tokens = 2048,
                              .block_tokens = 16,
                              .memory_fraction = 0.9,
                              .fused_kernels = true};
    f->deployment = (StratDeployment){
        .engine = &f->engine,
        .pool = {{.replicas = 1, .tensor = 1, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1};
    f->spec = (StratPriceSpec){
        .model = model,
        .cluster = &f->world.cluster,
        .device = {.gpu = &f->world.cluster.node.gpu,
                   .profile = &f->world.profile,
                   .clock_fraction = 1.0},
        .deployment = &f->deployment
    };
}

static inline StratIteration priced(Fixture *f, const StratBatch *batch)
{
    GError *error = NULL;
    StratIteration out;
    StratPricer *pricer = strat_price_new(&f->spec, &error);
    cr_assert_not_null(pricer, "%s", error ? error->message : "");
    pricer->price(pricer, batch, &out);
    strat_pricer_free(pricer);
    return out;
}

static inline StratBatch decodes(int64_t count, double context)
{
    return (StratBatch){.decodes = count,
                        .decode_tokens = 1,
                        .context = context,
                        .longest = context,
                        .outputs = count};
}

static inline double gemm(const Fixture *f, int64_t m, int64_t n, int64_t k, TopoDtype dtype)
{
    KernGemmShape shape = {
        .batch = 1, .m = m, .n = n, .k = k, .dtype = dtype, .quantised = dtype == TOPO_DTYPE_FP8};
    return kern_gemm_s(&f->spec.device, &shape);
}

static inline void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want), "%s: %.9g, not %.9g", what, got, want);
}

static inline double decode_at(const Fixture *f, int64_t sequences, int64_t context, int64_t width)
{
    KernDecodeShape shape = {.sequences = sequences,
                             .context = context,
                             .heads = 16 * width,
                             .kv_heads = 4,
                             .head_dim = 64,
                             .dtype = TOPO_DTYPE_BF16};
    return kern_decode_s(&f->spec.device, &shape);
}

#endif
