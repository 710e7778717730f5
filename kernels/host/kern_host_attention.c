/* Attention on a CPU: OpenBLAS has no fused kernel, so it is products and a softmax.
 *
 *   forward   scores Q K', softmax, context P V
 *   backward  dV = P' dO, dP = dO V', softmax backward, dQ = dS K, dK = dS' Q
 *
 * Masked scores are computed like the others, and every score is an fp32 value. */
#include "kern_host_attention.h"

#include "kern_host_gemm.h"
#include "kern_host_pass.h"

static double product_s(const KernHostFit *host, const KernAttentionShape *s, int64_t m, int64_t n,
                        int64_t k)
{
    KernGemmShape shape = {.batch = s->batch, .m = m, .n = n, .k = k, .dtype = s->dtype};
    return kern_host_gemm_s(host, &shape);
}

double kern_host_attention_s(const KernHostFit *host, const KernAttentionShape *s, bool backward)
{
    int64_t q = s->queries, k = s->keys, d = s->head_dim;
    double score_bytes = 4.0 * (double)s->batch * (double)q * (double)k;
    double softmax = kern_host_pass_s(host, KERN_HOST_PASS_SOFTMAX, backward,
                                      score_bytes * (backward ? 3.0 : 2.0));
    double scores = product_s(host, s, q, k, d), context = product_s(host, s, q, d, k);
    if (!backward)
        return scores + softmax + context;
    return scores + softmax + context + 2.0 * product_s(host, s, k, d, q);
}
