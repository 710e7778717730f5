/* What the forms say of latent attention, of which no table has a row, against FlashMLA's figures:
 * 3000 GB/s where memory binds and 660 TFLOP/s where products do (H800), 1460 TFLOP/s of dense
 * prefill (B200). The page names no shapes, so they are those of DeepSeek-V3 that bind so: 16 or
 * 128 heads (tensor parallelism of 8 or none), 128 sequences of 16,384 tokens; prompts of 16,384
 * tokens with expanded heads of 192 and 128. Left out where the figures are not at hand. */
#include "kern_decode.h"
#include "kern_prefill.h"
#include "scen_named.h"

#include <criterion/criterion.h>
#include <json-glib/json-glib.h>

#include <math.h>

/* The member @what of the row @id; skips the test without the file. */
static double published(const char *id, const char *what)
{
    g_autofree char *path =
        g_build_filename(SHARED_DIR, "kernel_data", "published_kernels.json", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        cr_skip_test("no %s", path);
    g_autoptr(JsonParser) parser = json_parser_new();
    cr_assert(json_parser_load_from_file(parser, path, NULL));
    JsonArray *rows = json_node_get_array(json_parser_get_root(parser));
    for (guint i = 0; i < json_array_get_length(rows); i++) {
        JsonObject *row = json_array_get_object_element(rows, i);
        if (g_str_equal(json_object_get_string_member(row, "id"), id))
            return json_object_get_double_member(row, what);
    }
    cr_assert_fail("no row %s", id);
    return NAN;
}

static void expect_within(const char *id, double got, double want, double most)
{
    cr_log_info("%s: %.4g for %.4g, %+.1f %%\n", id, got, want, 100.0 * (got / want - 1.0));
    cr_expect(fabs(got / want - 1.0) < most, "%s: %.4g for %.4g", id, got, want);
}

typedef struct World {
    TopoNode node;
    KernProfile profile;
    GStringChunk *strings;
} World;

static World world_of(const char *node)
{
    World w = {.strings = g_string_chunk_new(1024)};
    cr_assert(scen_named_bind(SCEN_CATALOG_NODE, node, NULL, w.strings, &w.node, NULL));
    cr_assert(scen_named_bind(SCEN_CATALOG_PROFILE, w.node.gpu.profile, NULL, w.strings, &w.profile,
                              NULL));
    return w;
}

static KernDecodeShape latent(int64_t heads)
{
    return (KernDecodeShape){.sequences = 128,
                             .context = 16384,
                             .heads = heads,
                             .kv_heads = heads,
                             .head_dim = 192,
                             .latent_width = 512,
                             .rope_width = 64,
                             .dtype = TOPO_DTYPE_BF16};
}

Test(kern_mla, decode_of_few_heads_streams_as_flashmla_does)
{
    double want = published("flashmla/dense-decode-mem", "gb_s") * 1e9;
    World w = world_of("hgx-h800");
    const KernDevice device = {.gpu = &w.node.gpu, .profile = &w.profile, .clock_fraction = 1.0};
    KernDecodeShape s = latent(16);
    expect_within("memory", kern_decode_cache_bytes(&s) / kern_decode_s(&device, &s), want, 0.15);
    g_string_chunk_free(w.strings);
}

Test(kern_mla, decode_of_all_heads_computes_as_flashmla_does)
{
    double want = published("flashmla/dense-decode-compute", "tflops") * 1e12;
    World w = world_of("hgx-h800");
    const KernDevice device = {.gpu = &w.node.gpu, .profile = &w.profile, .clock_fraction = 1.0};
    KernDecodeShape s = latent(128);
    expect_within("compute", kern_decode_flop(&s) / kern_decode_s(&device, &s), want, 0.15);
    g_string_chunk_free(w.strings);
}

Test(kern_mla, dense_prefill_computes_as_flashmla_does)
{
    double want = published("flashmla/dense-prefill-b200", "tflops") * 1e12;
    World w = world_of("dgx-b200");
    const KernDevice device = {.gpu = &w.node.gpu, .profile = &w.profile, .clock_fraction = 1.0};
    const KernPrefillShape s = {.sequences = 4,
                                .queries = 16384,
                                .heads = 128,
                                .kv_heads = 128,
                                .head_dim = 192,
                                .value_dim = 128,
                                .dtype = TOPO_DTYPE_BF16};
    expect_within("prefill", kern_prefill_flop(&s) / kern_prefill_s(&device, &s), want, 0.25);
    g_string_chunk_free(w.strings);
}
