/* What fits into a serving GPU, against sums worked out by hand and a count that vLLM printed. */
#include "model_params.h"
#include "scen_named.h"
#include "strat_matrix.h"
#include "strat_serve_memory.h"

#include <criterion/criterion.h>

#include <math.h>

static const double GIB = 1073741824.0;

static const StratEngine vllm = {.name = "vllm",
                                 .max_sequences = 256,
                                 .max_tokens = 2048,
                                 .block_tokens = 16,
                                 .memory_fraction = 0.9};

static StratDeployment deployment_of(const StratEngine *engine, int64_t tensor,
                                     StratWeights weights)
{
    return (StratDeployment){
        .engine = engine,
        .pool = {{.replicas = 1, .tensor = tensor, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1,
        .weights = weights};
}

static ModelSpec model_named(const char *name, GStringChunk *strings)
{
    ModelSpec model = {0};
    cr_assert(scen_named_bind(SCEN_CATALOG_MODEL, name, NULL, strings, &model, NULL));
    return model;
}

static TopoGpu gpu_named(const char *name, GStringChunk *strings)
{
    TopoGpu gpu = {0};
    cr_assert(scen_named_bind(SCEN_CATALOG_GPU, name, NULL, strings, &gpu, NULL));
    return gpu;
}

Test(strat_serve_memory, weights_of_one_gpu_are_the_models_parameters)
{
    static const char *const names[] = {"llama-3.1-8b", "llama-2-70b",  "mixtral-8x7b",
                                        "deepseek-v3",  "llama-3.2-1b", "qwen3-235b-a22b"};
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        ModelSpec model = model_named(names[i], strings);
        StratDeployment deployment = deployment_of(&vllm, 1, STRAT_WEIGHTS_BF16);
        double got = strat_serve_weights_bytes(&model, &deployment, deployment.pool);
        double want = 2.0 * (double)model_params_count(&model).total;
        /* norms of heads and compressions, biases of q, k, v are left out */
        cr_expect(fabs(got / want - 1.0) < 2e-4, "%s: %.6g, not %.6g", names[i], got, want);
    }
}

Test(strat_serve_memory, narrow_weights_leave_embedding_and_head_wide)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec model = model_named("llama-3.1-8b", strings);
    StratDeployment deployment = deployment_of(&vllm, 2, STRAT_WEIGHTS_INT4);
    double matrices = 32.0 * (4096.0 * (6144 + 4096) + 3.0 * 4096 * 14336);
    double want = matrices / 2.0 * (0.5 + 2.0 / 128.0) + 2.0 * 2.0 * 128256 * 4096 / 2.0 +
                  2.0 * 32.0 * 2.0 * 4096;
    double got = strat_serve_weights_bytes(&model, &deployment, deployment.pool);
    cr_expect(fabs(got / want - 1.0) < 1e-9, "%.9g, not %.9g", got, want);
}

Test(strat_serve_memory, a_token_keeps_its_keys_and_values)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec llama = model_named("llama-3.1-8b", strings);
    ModelSpec deepseek = model_named("deepseek-v3", strings);
    cr_expect_eq(strat_kv_token_bytes(&llama, STRAT_KV_16_BIT), 131072.0);
    cr_expect_eq(strat_kv_token_bytes(&llama, STRAT_KV_FP8), 65536.0);
    cr_expect_eq(strat_kv_token_bytes(&deepseek, STRAT_KV_16_BIT), 61.0 * (512 + 64) * 2.0);
    cr_expect_eq(strat_kv_layer_bytes(&llama, 8, STRAT_KV_16_BIT), 512.0);
    cr_expect_eq(strat_kv_layer_bytes(&llama, 16, STRAT_KV_16_BIT), 512.0, "KV heads are copied");
    cr_expect_eq(strat_kv_layer_bytes(&deepseek, 8, STRAT_KV_16_BIT), 1152.0, "one latent for all");
}

/* llama-3.1-8b on an RTX 4090 under vLLM 0.19 at 0.9: 2588 blocks of 16 tokens. What graphs and
 * workspaces take is the engine's constant, fitted on this count alone; the rest must leave what
 * such an engine plausibly needs (51 graphs, cuBLAS and NCCL workspaces: 0.5 to 1.5 GB). */
Test(strat_serve_memory, an_rtx_4090_has_the_blocks_that_vllm_counted)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec model = model_named("llama-3.1-8b", strings);
    TopoGpu gpu = gpu_named("rtx-4090", strings);
    StratEngine engine = vllm;
    StratDeployment deployment = deployment_of(&engine, 1, STRAT_WEIGHTS_BF16);
    StratServeMemory memory = strat_serve_memory(&model, &gpu, &deployment, 0, 0);
    cr_expect(fabs(memory.capacity_bytes - 25250627584.0) < 1.0, "%.0f", memory.capacity_bytes);
    double left = memory.kv_bytes - 2588.0 * 16.0 * 131072.0;
    cr_expect(left > 0.5e9 && left < 1.5e9, "%.3g bytes beside weights and activations", left);
    engine.activation_bytes = 0.908e9;
    memory = strat_serve_memory(&model, &gpu, &deployment, 0, 0);
    cr_expect(llabs(memory.blocks - 2588) <= 2, "%" G_GINT64_FORMAT " blocks", memory.blocks);
}

Test(strat_serve_memory, attention_ranks_add_up_and_stages_do_not)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec model = model_named("llama-3.1-8b", strings);
    TopoGpu gpu = gpu_named("h100-sxm", strings);
    StratDeployment one = deployment_of(&vllm, 1, STRAT_WEIGHTS_BF16), more = one;
    StratServeMemory alone = strat_serve_memory(&model, &gpu, &one, 0, 2048);
    more.pool[0].data = 4;
    StratServeMemory four = strat_serve_memory(&model, &gpu, &more, 0, 4 * 2048);
    cr_expect_geq(four.blocks, 4 * alone.blocks);
    cr_expect_leq((double)four.blocks, 4.02 * (double)alone.blocks);
    more = one;
    more.pool[0].pipeline = 2;
    StratServeMemory staged = strat_serve_memory(&model, &gpu, &more, 0, 2048);
    cr_expect_eq(staged.kv_token_bytes, 0.5 * alone.kv_token_bytes);
    cr_expect_gt((double)staged.blocks, 2.0 * (double)alone.blocks, "half the layers, more room");
}

Test(strat_serve_memory, tensorrt_llm_takes_its_fraction_of_what_is_left)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec model = model_named("llama-3.1-8b", strings);
    TopoGpu gpu = gpu_named("h100-sxm", strings);
    StratEngine engine = vllm;
    engine.memory_of_rest = true;
    StratDeployment deployment = deployment_of(&engine, 1, STRAT_WEIGHTS_BF16);
    StratServeMemory m = strat_serve_memory(&model, &gpu, &deployment, 0, 0);
    double rest = m.capacity_bytes - m.weights_bytes - m.activations_bytes;
    cr_expect(fabs(m.kv_bytes - 0.9 * rest) < 1.0);
    cr_expect_gt(m.capacity_bytes, 79.0 * GIB);
}

Test(strat_serve_memory, weights_in_host_memory_make_room)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec model = model_named("opt-30b", strings);
    TopoGpu gpu = gpu_named("t4", strings);
    StratDeployment deployment = deployment_of(&vllm, 1, STRAT_WEIGHTS_BF16);
    StratServeMemory full = strat_serve_memory(&model, &gpu, &deployment, 0, 512);
    g_autoptr(GError) error = NULL;
    cr_expect_not(strat_serve_memory_check(&full, &deployment, 0, &error));
    cr_assert_not_null(error);
    cr_expect_not_null(strstr(error->message, "does not fit"), "%s", error->message);
    cr_expect_eq(full.blocks, 0);
    deployment.offload.weights.host = 1.0;
    StratServeMemory none = strat_serve_memory(&model, &gpu, &deployment, 0, 512);
    cr_expect(strat_serve_memory_check(&none, &deployment, 0, NULL));
    cr_expect_eq(none.weights_bytes, 0.0);
    cr_expect_eq(none.offloaded_bytes, full.weights_bytes);
}

Test(strat_serve_memory, the_longest_sequence_must_fit)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec model = model_named("llama-3.1-8b", strings);
    TopoGpu gpu = gpu_named("rtx-4090", strings);
    StratEngine engine = vllm;
    engine.max_length = 32768;
    StratDeployment deployment = deployment_of(&engine, 1, STRAT_WEIGHTS_BF16);
    StratServeMemory memory = strat_serve_memory(&model, &gpu, &deployment, 0, 0);
    cr_expect(strat_serve_memory_check(&memory, &deployment, 0, NULL));
    engine.max_length = 131072;
    cr_expect_not(strat_serve_memory_check(&memory, &deployment, 0, NULL));
}
