/* Readers of measured tables: each kind of columns into shapes, and what is wrong with a file told
 * with its line. */
#include "scen_measured.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include <math.h>
#include <string.h>

/* A Llama-like model; 8 query heads a key/value head. */
static const ModelSpec model = {
    .name = "toy",
    .hidden = 4096,
    .heads = 64,
    .kv_heads = 8,
    .head_dim = 128,
    .ffn = 14336,
    .vocab = 128256,
    .gated_mlp = true,
};

static char *write_table(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("orrery-measured-XXXXXX", &error);
    cr_assert(folder != NULL, "%s", error ? error->message : "");
    char *path = g_build_filename(folder, "table.csv", NULL);
    cr_assert(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void remove_table(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_unlink(path);
    g_rmdir(folder);
}

static ScenMeasured *read_text(const char *text, const ScenProfiled *profiled, GError **error)
{
    g_autofree char *path = write_table(text);
    g_autoptr(ScenMeasured) measured = scen_measured_new();
    bool read = scen_measured_read(measured, path, profiled, error);
    remove_table(path);
    return read ? g_steal_pointer(&measured) : NULL;
}

static ScenMeasured *read_well(const char *text, const ScenProfiled *profiled)
{
    g_autoptr(GError) error = NULL;
    ScenMeasured *measured = read_text(text, profiled, &error);
    cr_assert(measured != NULL, "%s", error ? error->message : "");
    return measured;
}

static KernGemmShape product(int64_t batch, int64_t m, int64_t n, int64_t k, TopoDtype dtype,
                             bool quantised)
{
    return (KernGemmShape){
        .batch = batch, .m = m, .n = n, .k = k, .dtype = dtype, .quantised = quantised};
}

static void expect_gemm(const ScenMeasured *measured, guint i, KernGemmShape want, double seconds)
{
    cr_assert(i < measured->gemm->len, "row %u of %u", i, measured->gemm->len);
    const KernGemmRow *row = &g_array_index(measured->gemm, KernGemmRow, i);
    const KernGemmShape *s = &row->shape;
    cr_expect(s->batch == want.batch && s->m == want.m && s->n == want.n && s->k == want.k &&
                  s->dtype == want.dtype && s->quantised == want.quantised &&
                  s->weights == want.weights,
              "row %u: %d x (%d, %d, %d), type %d", i, (int)s->batch, (int)s->m, (int)s->n,
              (int)s->k, (int)s->dtype);
    cr_expect(fabs(row->seconds / seconds - 1.0) < 1e-12, "row %u: %g s", i, row->seconds);
}

static void expect_call(const ScenMeasured *measured, guint i, const KernAttentionShape *want,
                        double seconds)
{
    cr_assert(i < measured->attention->len, "row %u of %u", i, measured->attention->len);
    const KernAttentionRow *row = &g_array_index(measured->attention, KernAttentionRow, i);
    const KernAttentionShape *s = &row->shape;
    cr_expect(s->batch == want->batch && s->kv_batch == want->kv_batch &&
                  s->queries == want->queries && s->keys == want->keys &&
                  s->head_dim == want->head_dim && s->dtype == want->dtype,
              "row %u: %d (%d) heads, %d on %d", i, (int)s->batch, (int)s->kv_batch,
              (int)s->queries, (int)s->keys);
    cr_expect(fabs(s->unmasked_fraction - want->unmasked_fraction) < 1e-12);
    cr_expect(fabs(row->seconds / seconds - 1.0) < 1e-12, "row %u: %g s", i, row->seconds);
}

Test(scen_measured, reads_the_columns_of_aiconfigurator)
{
    g_autoptr(ScenMeasured) gemm = read_well("op_name,kernel_source,gemm_dtype,m,n,k,latency\n"
                                             "gemm,x,bfloat16,16,4096,1024,0.005\n"
                                             "gemm,x,fp8,1,128,256,0.25\r\n"
                                             "\n"
                                             "gemm,x,int4_wo,1,128,256,0.25\n"
                                             "gemm,x,fp8_block,1,128,256,0.5\n"
                                             "gemm,x,int2_wo,1,128,256,0.25\n",
                                             NULL);
    expect_gemm(gemm, 0, product(1, 16, 4096, 1024, TOPO_DTYPE_BF16, false), 5e-6);
    expect_gemm(gemm, 1, product(1, 1, 128, 256, TOPO_DTYPE_FP8, true), 250e-6);
    KernGemmShape narrow = product(1, 1, 128, 256, TOPO_DTYPE_BF16, false);
    KernGemmShape scaled = product(1, 1, 128, 256, TOPO_DTYPE_FP8, true);
    narrow.weights = KERN_WEIGHTS_INT4;
    scaled.weights = KERN_WEIGHTS_BLOCK_SCALED;
    expect_gemm(gemm, 2, narrow, 250e-6);
    expect_gemm(gemm, 3, scaled, 500e-6);
    cr_expect(gemm->gemm->len == 4 && gemm->skipped == 1);
    g_autoptr(ScenMeasured) calls = read_well(
        "op_name,batch_size,isl,num_heads,num_key_value_heads,head_dim,attn_dtype,kv_cache_dtype,"
        "step,window_size,latency\n"
        "context_attention,2,512,32,4,128,bfloat16,bfloat16,0,0,1\n"
        "context_attention,2,512,32,4,128,bfloat16,fp8,0,0,1\n"
        "context_attention,2,512,32,4,128,bfloat16,bfloat16,0,128,1\n"
        "generation_attention,8,1,32,4,128,bfloat16,bfloat16,1023,0,2\n"
        "moe,8,1,32,4,128,bfloat16,bfloat16,1023,0,2\n",
        NULL); /* for training: no window, no other cache; for serving all but the last */
    expect_call(
        calls, 0,
        &(KernAttentionShape){64, 8, 512, 512, 128, 0.5, TOPO_DTYPE_BF16, KERN_ATTENTION_FITTED},
        1e-3);
    expect_call(
        calls, 1,
        &(KernAttentionShape){256, 32, 1, 1024, 128, 1.0, TOPO_DTYPE_BF16, KERN_ATTENTION_FITTED},
        2e-3);
    cr_expect(calls->attention->len == 2 && calls->skipped == 1);
    cr_expect(scen_serve_rows_count(calls->serve) == 4);
    const GArray *fp8 = calls->serve->prefill[KERN_HEAD_128][KERN_CACHE_FP8];
    cr_assert(fp8->len == 1 && calls->serve->prefill[KERN_HEAD_128][KERN_CACHE_16_BIT]->len == 2);
    const KernPrefillShape *p = &g_array_index(fp8, KernPrefillRow, 0).shape;
    cr_expect(p->sequences == 2 && p->queries == 512 && p->past == 0 && p->heads == 32 &&
              p->kv_heads == 4 && p->fp8_cache);
    const GArray *decode = calls->serve->decode[KERN_HEAD_128][KERN_CACHE_16_BIT];
    cr_assert(decode->len == 1);
    cr_expect(g_array_index(decode, KernDecodeRow, 0).shape.context == 1024);
}

Test(scen_measured, layers_of_experts_and_chunks_serve)
{
    g_autoptr(ScenMeasured) moe = read_well(
        "op_name,kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,"
        "moe_tp_size,moe_ep_size,distribution,latency\n"
        "moe,vllm_cutlass,fp8,64,4096,1536,8,128,2,4,power_law_1.2,0.5\n",
        NULL);
    const GArray *rows = moe->serve->moe[KERN_MOE_FP8][KERN_MOE_CUTLASS];
    cr_assert(rows->len == 1 && moe->skipped == 0);
    const KernMoeShape *m = &g_array_index(rows, KernMoeRow, 0).shape;
    cr_expect(m->tokens == 64 && m->tensor == 2 && m->expert == 4 && fabs(m->power - 1.2) < 1e-12);
    g_autoptr(ScenMeasured) chunk =
        read_well("op,dtype,m,heads,kv_heads,head_dim,batch,context,latency_us\n"
                  "attention,bf16,256,32,8,128,2,1024,50\n",
                  NULL);
    const GArray *prefill = chunk->serve->prefill[KERN_HEAD_128][KERN_CACHE_16_BIT];
    cr_assert(prefill->len == 1);
    const KernPrefillShape *p = &g_array_index(prefill, KernPrefillRow, 0).shape;
    cr_expect(p->sequences == 2 && p->queries == 256 && p->past == 1024 && p->heads == 32 &&
              p->kv_heads == 8);
}

Test(scen_measured, reads_the_plain_form_whatever_the_order_of_its_columns)
{
    g_autoptr(ScenMeasured) measured =
        read_well("# a comment before the header\n"
                  "op,dtype,software,batch,m,n,k,heads,kv_heads,head_dim,context,latency_us\n"
                  "gemm,bf16,\"a \"\"lib\"\", of sorts\",,128,256,64,,,,,3.5\n"
                  "gemm,fp32,x,12,128,256,64,,,,,4\n"
                  "attention,fp16,x,2,100,,,32,8,64,300,5\n"
                  "attention_decode,fp16,x,2,,,,32,8,64,300,6\n"
                  "softmax,bf16,x,,128,256,,,,,,7\n",
                  NULL);
    expect_gemm(measured, 0, product(1, 128, 256, 64, TOPO_DTYPE_BF16, false), 3.5e-6);
    expect_gemm(measured, 1, product(12, 128, 256, 64, TOPO_DTYPE_FP32, false), 4e-6);
    expect_call(
        measured, 0,
        &(KernAttentionShape){64, 16, 100, 400, 64, 0.875, TOPO_DTYPE_FP16, KERN_ATTENTION_FITTED},
        5e-6);
    expect_call(
        measured, 1,
        &(KernAttentionShape){64, 16, 1, 300, 64, 1.0, TOPO_DTYPE_FP16, KERN_ATTENTION_FITTED},
        6e-6);
    cr_expect(measured->skipped == 1);
    g_autoptr(ScenMeasured) seconds =
        read_well("seconds,k,n,m,dtype,op\n1e-4,3,2,1,bf16,gemm\n", NULL);
    expect_gemm(seconds, 0, product(1, 1, 2, 3, TOPO_DTYPE_BF16, false), 1e-4);
}

Test(scen_measured, layers_of_a_known_model_become_shapes)
{
    const ScenProfiled profiled = {.model = &model, .tensor = 2, .dtype = TOPO_DTYPE_BF16};
    g_autoptr(ScenMeasured) layers = read_well("layer,tokens,time_us\n"
                                               "qkv_proj,7,10\n"
                                               "o_proj,7,20\n"
                                               "gate_up_proj,7,30\n"
                                               "down_proj,7,40\n"
                                               "layernorm,7,50\n",
                                               &profiled);
    expect_gemm(layers, 0, product(1, 7, 5120, 4096, TOPO_DTYPE_BF16, false), 10e-6);
    expect_gemm(layers, 1, product(1, 7, 4096, 4096, TOPO_DTYPE_BF16, false), 20e-6);
    expect_gemm(layers, 2, product(1, 7, 14336, 4096, TOPO_DTYPE_BF16, false), 30e-6);
    expect_gemm(layers, 3, product(1, 7, 4096, 7168, TOPO_DTYPE_BF16, false), 40e-6);
    cr_expect(layers->gemm->len == 4 && layers->skipped == 1);
    g_autoptr(ScenMeasured) head = read_well("layer,sequences,time_us\nlm_head,3,9\n", &profiled);
    expect_gemm(head, 0, product(1, 3, 64128, 4096, TOPO_DTYPE_BF16, false), 9e-6);
    g_autoptr(ScenMeasured) calls =
        read_well("prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n"
                  "128,384,0,0,5\n0,0,4,1024,6\n128,0,4,1024,7\n",
                  &profiled);
    expect_call(
        calls, 0,
        &(KernAttentionShape){32, 4, 128, 512, 128, 0.875, TOPO_DTYPE_BF16, KERN_ATTENTION_FITTED},
        5e-6);
    expect_call(
        calls, 1,
        &(KernAttentionShape){128, 16, 1, 1025, 128, 1.0, TOPO_DTYPE_BF16, KERN_ATTENTION_FITTED},
        6e-6);
    cr_expect(calls->attention->len == 2 && calls->skipped == 1);
}

Test(scen_measured, vidur_brings_its_shapes_along)
{
    g_autoptr(ScenMeasured) layers =
        read_well("time_stats.attn_pre_proj.median,time_stats.attn_post_proj.median,"
                  "time_stats.mlp_up_proj.median,time_stats.mlp_down_proj.median,n_head,n_kv_head,"
                  "n_embd,n_expanded_embd,vocab_size,use_gated_mlp,num_tokens,"
                  "num_tensor_parallel_workers\n"
                  "1,2,3,4,32,8,4096,14336,128256,True,64,4\n",
                  NULL);
    expect_gemm(layers, 0, product(1, 64, 1536, 4096, TOPO_DTYPE_FP16, false), 1e-3);
    expect_gemm(layers, 1, product(1, 64, 4096, 1024, TOPO_DTYPE_FP16, false), 2e-3);
    expect_gemm(layers, 2, product(1, 64, 7168, 4096, TOPO_DTYPE_FP16, false), 3e-3);
    expect_gemm(layers, 3, product(1, 64, 4096, 3584, TOPO_DTYPE_FP16, false), 4e-3);
    g_autoptr(ScenMeasured) calls =
        read_well("time_stats.attn_prefill.median,time_stats.attn_decode.median,n_embd,n_q_head,"
                  "n_kv_head,num_tensor_parallel_workers,batch_size,prefill_chunk_size,"
                  "kv_cache_size,is_prefill\n"
                  "1.5,,4096,32,8,1,1,256,256,True\n"
                  ",0.5,4096,32,8,1,16,0,1023,False\n",
                  NULL);
    expect_call(
        calls, 0,
        &(KernAttentionShape){32, 8, 256, 512, 128, 0.75, TOPO_DTYPE_FP16, KERN_ATTENTION_FITTED},
        1.5e-3);
    expect_call(
        calls, 1,
        &(KernAttentionShape){512, 128, 1, 1024, 128, 1.0, TOPO_DTYPE_FP16, KERN_ATTENTION_FITTED},
        0.5e-3);
}

Test(scen_measured, what_is_wrong_is_told_with_its_line)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"",                                                           "table.csv: the table is empty"                },
        {"# only a comment\n",                                         "table.csv: the table is empty"                },
        {"a,b\n1,2\n",                                                 "table.csv:1: columns 'a,b' are none of"       },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,1,2,3,1\ngemm,bf16,1,2\n",
         "table.csv:3: 4 fields where the header has 6"                                                               },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,1,2,3,nan\n",              "table.csv:2: seconds must be a number"        },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,1,2,3,inf\n",              "table.csv:2: seconds must be a number"        },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,1,2,3,-1\n",               "table.csv:2: seconds must be a number"        },
        {"op,dtype,m,n,k,seconds\n\ngemm,bf16,1,2,3,0\n",              "table.csv:3: a time must be above 0"          },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,1,2,3,\n",                 "table.csv:2: seconds must be a number"        },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,0,2,3,1\n",                "table.csv:2: m must be a number"              },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,1.5,2,3,1\n",              "table.csv:2: m must be a whole number"        },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,1e15,2,3,1\n",             "table.csv:2: m must be a whole number"        },
        {"op,dtype,m,n,k,seconds\ngemm,bf16,x,2,3,1\n",                "table.csv:2: m must be a number"              },
        {"op,dtype,m,n,seconds\ngemm,bf16,1,2,1\n",                    "table.csv:2: the table needs a column k"      },
        {"op,dtype,m,n,k\ngemm,bf16,1,2,3\n",                          "table.csv:2: the table needs a column seconds"},
        {"op,dtype,m,n,k,seconds\ngemm,\"bf16,1,2,3,1\n",              "table.csv:2: a quoted field"                  },
        {"op_name,latency\ncontext_attention,1\n",                     "table.csv:2: the table needs a column"        },
        {"layer,tokens,time_us\nqkv_proj,1,1\n",                       "table.csv:1: the rows name layers of a model" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenMeasured) measured = read_text(cases[i].text, NULL, &error);
        cr_assert(measured == NULL && error != NULL, "case %zu was read", i);
        cr_expect(strstr(error->message, cases[i].want) != NULL, "case %zu: %s", i, error->message);
    }
}

Test(scen_measured, layers_that_the_model_does_not_have_are_refused)
{
    ModelSpec experts = model, latent = model;
    experts.experts = 8;
    latent.kv_lora_rank = 512;
    const struct {
        const ModelSpec *model;
        int64_t tensor;
        const char *layer, *want;
    } cases[] = {
        {&model,   2, "mlp_of_ours", "no layer of a dense model is called 'mlp_of_ours'"},
        {&model,   3, "qkv_proj",    "cannot be cut over 3"                             },
        {&experts, 2, "qkv_proj",    "it has experts"                                   },
        {&latent,  2, "qkv_proj",    "its attention is latent"                          },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const ScenProfiled profiled = {cases[i].model, cases[i].tensor, TOPO_DTYPE_BF16};
        g_autofree char *text = g_strdup_printf("layer,tokens,time_us\n%s,1,1\n", cases[i].layer);
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenMeasured) measured = read_text(text, &profiled, &error);
        cr_assert(measured == NULL && error != NULL, "case %zu was read", i);
        cr_expect(strstr(error->message, cases[i].want) != NULL, "case %zu: %s", i, error->message);
        cr_expect(strstr(error->message, "table.csv:2:") != NULL, "%s", error->message);
    }
}

Test(scen_measured, what_is_no_file_of_text_is_refused)
{
    g_autoptr(ScenMeasured) measured = scen_measured_new();
    g_autoptr(GError) missing = NULL, folder = NULL, device = NULL;
    cr_expect(!scen_measured_read(measured, "/nowhere/at/all.csv", NULL, &missing));
    cr_expect(!scen_measured_read(measured, "/", NULL, &folder));
    cr_expect(!scen_measured_read(measured, "/dev/zero", NULL, &device));
    cr_expect(missing && folder && device);
    g_autoptr(GError) binary = NULL;
    cr_expect(read_text("op,dtype\n\xff\xfe\n", NULL, &binary) == NULL && binary);
}
