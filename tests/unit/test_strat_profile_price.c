/* Tables of an engine's kernels: linear between points on every axis, however ragged, and summed
 * over layers as the profiler counts them. Files are written, read and compared. */
#include "scen_engine_profile.h"
#include "strat_price.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <glib/gstdio.h>
#include <math.h>

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-12 + 1e-9 * fabs(want), "%s: %.9g, not %.9g", what, got, want);
}

Test(strat_profile_price, a_curve_is_linear_between_points_and_beyond_the_last)
{
    g_autoptr(StratProfile) profile = strat_profile_new();
    StratProfileCurve *curve = strat_profile_of(profile, STRAT_PROFILE_QKV);
    expect_near(strat_profile_curve_s(curve, 3.0), 0.0, "empty");
    strat_profile_curve_add(curve, 2.0, 10.0);
    expect_near(strat_profile_curve_s(curve, 9.0), 10.0, "one point");
    strat_profile_curve_add(curve, 4.0, 20.0);
    strat_profile_curve_add(curve, 8.0, 24.0);
    static const double at[][2] = {
        {1.0,  10.0},
        {2.0,  10.0},
        {3.0,  15.0},
        {4.0,  20.0},
        {6.0,  22.0},
        {8.0,  24.0},
        {10.0, 26.0}
    };
    for (size_t i = 0; i < G_N_ELEMENTS(at); i++)
        expect_near(strat_profile_curve_s(curve, at[i][0]), at[i][1], "curve");
}

/* A function that is linear in each variable is met exactly everywhere. */
static double truth(double chunk, double decodes, double past, double context)
{
    return 5.0 + chunk * (0.1 + 0.001 * past) + decodes * (0.2 + 0.003 * context);
}

static void add(StratProfile *profile, double chunk, double decodes, double past, double context)
{
    strat_profile_add_attention(profile, chunk, decodes, past, context,
                                truth(chunk, decodes, past, context));
}

static StratProfile *linear_profile(void)
{
    StratProfile *profile = strat_profile_new();
    for (double n = 1.0; n <= 64.0; n *= 4.0) {
        for (double c = 16.0; c <= 1024.0; c *= 4.0)
            add(profile, 0.0, n, 0.0, c);
    }
    for (double q = 16.0; q <= 256.0; q *= 2.0) {
        for (double n = 0.0; n <= 64.0; n = n > 0.0 ? n * 4.0 : 1.0) {
            /* every second chunk has a coarser axis of pasts */
            for (double p = 0.0; p <= 4096.0; p = p > 0.0 ? p * (q > 40.0 ? 4.0 : 2.0) : 64.0) {
                for (double c = n > 0.0 ? 16.0 : 0.0; c <= (n > 0.0 ? 1024.0 : 0.0); c *= 4.0) {
                    add(profile, q, n, p, c);
                    if (n <= 0.0)
                        break;
                }
            }
        }
    }
    return profile;
}

Test(strat_profile_price, attention_is_linear_on_a_ragged_grid)
{
    g_autoptr(StratProfile) profile = linear_profile();
    static const struct {
        double chunk, decodes, past, context;
    } cases[] = {
        {16.0,  1.0,  64.0,   16.0  },
        {100.0, 30.0, 300.0,  200.0 },
        {48.0,  5.0,  1000.0, 700.0 },
        {200.0, 64.0, 0.0,    1024.0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        StratChunk chunk = {.tokens = (int64_t)cases[i].chunk, .past = (int64_t)cases[i].past};
        StratBatch batch = {.chunk = &chunk,
                            .chunks = 1,
                            .decodes = (int64_t)cases[i].decodes,
                            .decode_tokens = 1,
                            .context = cases[i].context,
                            .longest = cases[i].context};
        double prefill, decode;
        strat_profile_attention(profile, &batch, &prefill, &decode);
        expect_near(decode, truth(0.0, cases[i].decodes, 0.0, cases[i].context), "decodes");
        expect_near(prefill + decode,
                    truth(cases[i].chunk, cases[i].decodes, cases[i].past, cases[i].context),
                    "both");
    }
}

Test(strat_profile_price, the_largest_prompt_meets_the_decodes_and_others_run_alone)
{
    g_autoptr(StratProfile) profile = linear_profile();
    StratChunk chunks[2] = {
        {.tokens = 64, .past = 256},
        {.tokens = 128           }
    };
    StratBatch batch = {.chunk = chunks,
                        .chunks = 2,
                        .decodes = 16,
                        .decode_tokens = 1,
                        .context = 256.0,
                        .longest = 256.0};
    double prefill, decode, nothing = truth(0.0, 1.0, 0.0, 16.0); /* the least that was measured */
    strat_profile_attention(profile, &batch, &prefill, &decode);
    /* 64 queries over 320 keys are more pairs than 128 over 128 */
    expect_near(prefill + decode,
                truth(64.0, 16.0, 256.0, 256.0) + truth(128.0, 0.0, 0.0, 0.0) - nothing,
                "two prompts");
}

Test(strat_profile_price, one_long_context_slows_the_others)
{
    g_autoptr(StratProfile) profile = linear_profile();
    strat_profile_add_skew(profile, 16.0, 0.4, 1024.0, 0.5);
    strat_profile_add_skew(profile, 64.0, 0.4, 1024.0, 0.1);
    strat_profile_add_skew(profile, 64.0, 1.01, 1024.0, 0.3);
    StratBatch batch = {.decodes = 20, .decode_tokens = 1, .context = 200.0, .longest = 800.0};
    double prefill, decode, mean = truth(0, 20, 0, 200), longest = truth(0, 20, 0, 800);
    strat_profile_attention(profile, &batch, &prefill, &decode);
    expect_near(decode, mean + 0.1 * (longest - mean), "the tightest bin: 64 decodes, 0.4");
    batch.context = 500.0;
    strat_profile_attention(profile, &batch, &prefill, &decode);
    mean = truth(0, 20, 0, 500);
    expect_near(decode, mean + 0.3 * (longest - mean), "a mean closer to the longest");
    batch.decodes = 1;
    strat_profile_attention(profile, &batch, &prefill, &decode);
    expect_near(decode, truth(0, 1, 0, 500), "one decode has no others");
}

static const char dense_csv[] = "layer,tokens,time_us\n"
                                "embedding,1,1\nembedding,64,1\n"
                                "layernorm,1,2\nlayernorm,64,2\n"
                                "qkv_proj,1,10\nqkv_proj,64,73\n"
                                "rotary_emb,1,3\nrotary_emb,64,3\n"
                                "o_proj,1,5\no_proj,64,5\n"
                                "gate_up_proj,1,20\ngate_up_proj,64,20\n"
                                "act_fn,1,4\nact_fn,64,4\n"
                                "down_proj,64,30\ndown_proj,1,30\n"
                                "final_layernorm,1,7\nfinal_layernorm,64,7\n";
static const char sequence_csv[] = "layer,sequences,time_us\nlm_head,1,100\nlm_head,11,200\n"
                                   "sampler,1,50\nsampler,11,50\n";
static const char attention_csv[] = "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n"
                                    "16,0,0,0,8\n0,0,1,16,10\n0,0,1,32,26\n16,0,1,16,18\n";
static const char skew_csv[] =
    "pc,n_label,skew_rate_label,kv_big_label,kp_label,alpha,n_samples\n"
    "0,n<=64,sr<=40%,kvB<=4k,kp=0,0.25,4\n16,n<=64,sr<=40%,kvB<=4k,kp=0,9,4\n";

static const char meta_yaml[] = "model: toy\nskew_fit:\n  enabled: false\n";

static char *write_folder(void)
{
    char *folder = g_dir_make_tmp("profile-XXXXXX", NULL);
    g_autofree char *ranks = g_build_filename(folder, "tp2", NULL);
    cr_assert_eq(g_mkdir(ranks, 0700), 0);
    static const char *const files[][2] = {
        {"dense.csv",        dense_csv    },
        {"per_sequence.csv", sequence_csv },
        {"attention.csv",    attention_csv},
        {"skew_fit.csv",     skew_csv     }
    };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(ranks, files[i][0], NULL);
        cr_assert(g_file_set_contents(path, files[i][1], -1, NULL));
    }
    return folder;
}

static void remove_folder(const char *folder)
{
    static const char *const files[] = {"tp2/dense.csv",
                                        "tp2/per_sequence.csv",
                                        "tp2/attention.csv",
                                        "tp2/skew_fit.csv",
                                        "tp2",
                                        "meta.yaml",
                                        "."};
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i], NULL);
        g_remove(path);
    }
}

Test(strat_profile_price, a_folder_of_the_profiler_is_read)
{
    g_autofree char *folder = write_folder();
    g_autoptr(GError) error = NULL;
    g_autoptr(StratProfile) profile = scen_engine_profile_read(folder, 2, &error);
    cr_assert_not_null(profile, "%s", error ? error->message : "");
    ModelSpec model = {.layers = 10};
    double linear, passes;
    strat_profile_tokens(profile, &model, 11.0, &linear, &passes);
    expect_near(linear, 10.0 * (20.0 + 5.0 + 20.0 + 30.0) * 1e-6, "products");
    expect_near(passes, (10.0 * (2.0 * 2.0 + 3.0 + 4.0) + 1.0 + 7.0) * 1e-6, "the rest");
    expect_near(strat_profile_head_s(profile, 6.0), 200e-6, "head and sampler");
    StratBatch batch = {.decodes = 1, .decode_tokens = 1, .context = 24.0, .longest = 24.0};
    double prefill, decode;
    strat_profile_attention(profile, &batch, &prefill, &decode);
    expect_near(decode, 18e-6, "attention");
    batch = (StratBatch){.decodes = 2, .decode_tokens = 1, .context = 24.0, .longest = 64.0};
    strat_profile_attention(profile, &batch, &prefill, &decode);
    expect_near(decode, 18e-6 + 0.25 * 40e-6, "one longer than the other");
    g_autofree char *meta = g_build_filename(folder, "meta.yaml", NULL);
    cr_assert(g_file_set_contents(meta, meta_yaml, -1, NULL));
    g_autoptr(StratProfile) plain = scen_engine_profile_read(folder, 2, &error);
    strat_profile_attention(plain, &batch, &prefill, &decode);
    expect_near(decode, 18e-6, "a table that is switched off");
    cr_expect_null(scen_engine_profile_read(folder, 4, &error), "not measured with 4 ranks");
    remove_folder(folder);
}

Test(strat_profile_price, a_pricer_takes_the_tables_before_the_devices_fits)
{
    g_autofree char *folder = write_folder();
    g_autoptr(StratProfile) profile = scen_engine_profile_read(folder, 2, NULL);
    remove_folder(folder);
    ToyWorld world = toy_world();
    StratEngine engine = {.graphs = true, .graph_sequences = 64};
    StratDeployment deployment = {
        .engine = &engine,
        .pool = {{.replicas = 1, .tensor = 2, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1};
    StratPriceSpec spec = {
        .model = &world.model,
        .cluster = &world.cluster,
        .device = {.gpu = &world.cluster.node.gpu,
                   .profile = &world.profile,
                   .clock_fraction = 1.0},
        .deployment = &deployment,
        .profile = profile
    };
    StratPricer *pricer = strat_price_new(&spec, NULL);
    StratBatch batch = {
        .decodes = 6, .decode_tokens = 1, .context = 24.0, .longest = 24.0, .outputs = 6};
    StratIteration out;
    pricer->price(pricer, &batch, &out);
    /* 8 layers, 8 rows: padded to the graph's size */
    expect_near(out.part_s[STRAT_SERVE_LINEAR], 8.0 * (17.0 + 5.0 + 20.0 + 30.0) * 1e-6, "linear");
    expect_near(out.part_s[STRAT_SERVE_PASSES], (8.0 * (4.0 + 3.0 + 4.0) + 8.0) * 1e-6, "passes");
    expect_near(out.part_s[STRAT_SERVE_DECODE], 8.0 * 18e-6, "decode attention");
    cr_expect_gt(out.part_s[STRAT_SERVE_TENSOR], 0.0, "collectives are not in the tables");
    strat_pricer_free(pricer);
}

Test(strat_profile_price, a_layer_that_is_missing_is_named)
{
    g_autofree char *folder = write_folder();
    g_autofree char *dense = g_build_filename(folder, "tp2", "dense.csv", NULL);
    g_autoptr(GError) error = NULL;
    cr_assert(g_file_set_contents(dense, "layer,tokens,time_us\nqkv_proj,1,10\n", -1, NULL));
    cr_assert_null(scen_engine_profile_read(folder, 2, &error));
    cr_expect_not_null(strstr(error->message, "no rows of embedding"), "%s", error->message);
    g_clear_error(&error);
    cr_assert(g_file_set_contents(dense, "layer,tokens,time_us\nqkv_proj,1,fast\n", -1, NULL));
    cr_assert_null(scen_engine_profile_read(folder, 2, &error));
    cr_expect_not_null(strstr(error->message, "dense.csv:2"), "%s", error->message);
    remove_folder(folder);
}

Test(strat_profile_price, a_measured_profile_is_met_at_its_points)
{
    g_autoptr(GError) error = NULL;
    const char *path = SHARED_DIR "/serving_truth/rtx4090_llama-3.1-8b/profile";
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        cr_skip_test("no measured profile here");
    g_autoptr(StratProfile) profile = scen_engine_profile_read(path, 1, &error);
    cr_assert_not_null(profile, "%s", error ? error->message : "");
    const StratProfileCurve *down = strat_profile_of(profile, STRAT_PROFILE_DOWN);
    expect_near(strat_profile_curve_s(down, 128.0), 166.731e-6, "down_proj,128");
    StratBatch batch = {.decodes = 1, .decode_tokens = 1, .context = 256.0, .longest = 256.0};
    double prefill, decode;
    strat_profile_attention(profile, &batch, &prefill, &decode);
    expect_near(decode, 13.097e-6, "0,0,1,256");
}
