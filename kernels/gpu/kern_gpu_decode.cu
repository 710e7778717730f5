/* Decode attention: one query token a sequence reads all cached keys and values of that sequence.
 *
 * Time is the streaming of the cache, 2 batch kv_heads context head_dim elements. A block takes one
 * piece of the keys of one (sequence, key-value head) and all query heads that share it, so that
 * the cache is read once. Inside it, head_dim / 8 threads work on a key together, 16 bytes each,
 * four keys at a time, with the running softmax of Milakov and Gimelshein 2018 (arXiv 1805.02867).
 * The pieces' sums are joined by a second kernel (split-KV as in Flash-Decoding, Dao et al. 2023);
 * its launch is part of the measurement.
 *
 * Caches are contiguous, [batch, kv_heads, context, head_dim], bf16: a paged cache costs a little
 * more. The arithmetic is on the CUDA cores: at eight query heads a key-value head it comes near
 * the memory's time, where tensor-core kernels do not; take those rows as an upper bound. */
#include "kern_gpu_ops.cuh"
#include "kern_gpu_vector.cuh"

enum { THREADS = 128, KEYS = 4 };

/* Any finite number below all scores: a difference of two infinities would be NaN. */
#define LOWEST (-1e30f)

/* A piece's result for one query head: @dim sums, their maximum score, their weight. */
static __device__ __forceinline__ size_t piece_floats(int dim)
{
    return (size_t)dim + 2;
}

/* What the threads of one key keep of their eight dimensions for each query head of the group. */
template <int GROUP> struct Running {
    float most[GROUP];
    float weight[GROUP];
    float sum[GROUP][KERN_GPU_LANES];
};

/* Adds up to KEYS keys, those for which @valid is set, to the running softmax of query head @g. All
 * threads of a warp must call it, since they trade partial scores; @width of them share a key. */
template <int GROUP>
static __device__ __forceinline__ void
take_keys(Running<GROUP> *running, int g, const float *query, float (*keys)[KERN_GPU_LANES],
          float (*values)[KERN_GPU_LANES], const bool *valid, int width)
{
    float score[KEYS], most = running->most[g];
#pragma unroll
    for (int u = 0; u < KEYS; u++) {
        score[u] = 0.0f;
#pragma unroll
        for (int i = 0; i < KERN_GPU_LANES; i++)
            score[u] += query[i] * keys[u][i];
        for (int offset = width / 2; offset > 0; offset /= 2)
            score[u] += __shfl_xor_sync(0xffffffffu, score[u], offset);
        most = valid[u] ? fmaxf(most, score[u]) : most;
    }
    float decay = __expf(running->most[g] - most);
    running->most[g] = most;
    running->weight[g] *= decay;
#pragma unroll
    for (int i = 0; i < KERN_GPU_LANES; i++)
        running->sum[g][i] *= decay;
#pragma unroll
    for (int u = 0; u < KEYS; u++) {
        float share = valid[u] ? __expf(score[u] - most) : 0.0f;
        running->weight[g] += share;
#pragma unroll
        for (int i = 0; i < KERN_GPU_LANES; i++)
            running->sum[g][i] += share * values[u][i];
    }
}

/* Grid: pieces, key-value heads, sequences. Writes GROUP results a block into @pieces, ordered by
 * sequence, query head, piece. */
template <int DIM, int GROUP>
static __global__ void attend_piece(float *pieces, const uint4 *queries, const uint4 *keys,
                                    const uint4 *values, int context, int keys_per_piece)
{
    constexpr int width = DIM / KERN_GPU_LANES, teams = THREADS / width;
    __shared__ float shared[teams][DIM], most_of[teams], weight_of[teams];
    int team = threadIdx.x / width, lane = threadIdx.x % width;
    size_t pair = (size_t)blockIdx.z * gridDim.y + blockIdx.y;
    size_t cache = pair * context * width;
    int first = blockIdx.x * keys_per_piece;
    int end = min(first + keys_per_piece, context);
    float query[GROUP][KERN_GPU_LANES];
    Running<GROUP> running;
#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        kern_gpu_unpack(queries[(pair * GROUP + g) * width + lane], query[g]);
        for (int i = 0; i < KERN_GPU_LANES; i++) {
            query[g][i] *= rsqrtf((float)DIM);
            running.sum[g][i] = 0.0f;
        }
        running.most[g] = LOWEST;
        running.weight[g] = 0.0f;
    }
    for (int base = first; base < end; base += teams * KEYS) {
        float key[KEYS][KERN_GPU_LANES], value[KEYS][KERN_GPU_LANES];
        uint4 key_words[KEYS], value_words[KEYS];
        bool valid[KEYS];
#pragma unroll
        for (int u = 0; u < KEYS; u++) {
            int at = base + team * KEYS + u;
            valid[u] = at < end;
            size_t word = cache + (size_t)min(at, end - 1) * width + lane;
            key_words[u] = keys[word];
            value_words[u] = values[word];
        }
#pragma unroll
        for (int u = 0; u < KEYS; u++) {
            kern_gpu_unpack(key_words[u], key[u]);
            kern_gpu_unpack(value_words[u], value[u]);
        }
#pragma unroll
        for (int g = 0; g < GROUP; g++)
            take_keys<GROUP>(&running, g, query[g], key, value, valid, width);
    }
#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        for (int i = 0; i < KERN_GPU_LANES; i++)
            shared[team][lane * KERN_GPU_LANES + i] = running.sum[g][i];
        if (lane == 0) {
            most_of[team] = running.most[g];
            weight_of[team] = running.weight[g];
        }
        __syncthreads();
        float most = LOWEST, weight = 0.0f, sum = 0.0f;
        for (int t = 0; t < teams; t++)
            most = fmaxf(most, most_of[t]);
        for (int t = 0; t < teams; t++) {
            float share = __expf(most_of[t] - most);
            weight += share * weight_of[t];
            if (threadIdx.x < DIM)
                sum += share * shared[t][threadIdx.x];
        }
        float *piece = pieces + ((pair * GROUP + g) * gridDim.x + blockIdx.x) * piece_floats(DIM);
        if (threadIdx.x < DIM)
            piece[threadIdx.x] = sum;
        if (threadIdx.x == 0) {
            piece[DIM] = most;
            piece[DIM + 1] = weight;
        }
        __syncthreads();
    }
}

/* Grid: one block of head_dim threads a query head of a sequence. */
static __global__ void join_pieces(__nv_bfloat16 *out, const float *pieces, int splits)
{
    int dim = blockDim.x;
    const float *first = pieces + (size_t)blockIdx.x * splits * piece_floats(dim);
    float most = LOWEST, weight = 0.0f, sum = 0.0f;
    for (int s = 0; s < splits; s++)
        most = fmaxf(most, first[s * piece_floats(dim) + dim]);
    for (int s = 0; s < splits; s++) {
        const float *piece = first + s * piece_floats(dim);
        float share = __expf(piece[dim] - most);
        weight += share * piece[dim + 1];
        sum += share * piece[threadIdx.x];
    }
    out[(size_t)blockIdx.x * dim + threadIdx.x] = __float2bfloat16_rn(sum / weight);
}

template <int DIM, int GROUP>
static void launch(const KernGpuLab *lab, const KernGpuWork *work, int splits)
{
    const KernGpuShape *s = &work->shape;
    const KernGpuTensors *t = &work->tensors;
    int keys_per_piece = ((int)s->context + splits - 1) / splits;
    dim3 grid((unsigned)splits, (unsigned)s->kv_heads, (unsigned)s->batch);
    attend_piece<DIM, GROUP><<<grid, THREADS, 0, lab->stream>>>(
        (float *)t->scratch, (const uint4 *)t->inputs[0], (const uint4 *)t->inputs[1],
        (const uint4 *)t->inputs[2], (int)s->context, keys_per_piece);
}

typedef void (*Launch)(const KernGpuLab *lab, const KernGpuWork *work, int splits);

/* The kernel for that many dimensions a head and query heads a key-value head, or NULL. */
static Launch launch_for(int64_t dim, int64_t group)
{
    static const struct {
        int dim;
        int group;
        Launch launch;
    } kernels[] = {
        {64,  1, launch<64,  1>},
        {64,  4, launch<64,  4>},
        {64,  8, launch<64,  8>},
        {128, 1, launch<128, 1>},
        {128, 4, launch<128, 4>},
        {128, 8, launch<128, 8>},
    };
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++)
        if (kernels[i].dim == dim && kernels[i].group == group)
            return kernels[i].launch;
    return NULL;
}

bool kern_gpu_decode_call(KernGpuLab *lab, const void *context)
{
    const KernGpuWork *work = (const KernGpuWork *)context;
    const KernGpuShape *s = &work->shape;
    Launch launch_piece = launch_for(s->head_dim, s->heads / s->kv_heads);
    if (launch_piece == NULL)
        return kern_gpu_lab_fail(lab, __FILE__, __LINE__, "decode",
                                 "no kernel for these heads: 64 or 128 dimensions, and 1, 4 or 8 "
                                 "query heads a key-value head");
    int splits = (int)kern_gpu_decode_splits(s, lab->sms);
    launch_piece(lab, work, splits);
    KERN_GPU_TRY(lab, cudaGetLastError());
    join_pieces<<<(unsigned)(s->batch * s->heads), (unsigned)s->head_dim, 0, lab->stream>>>(
        (__nv_bfloat16 *)work->tensors.output, (const float *)work->tensors.scratch, splits);
    KERN_GPU_TRY(lab, cudaGetLastError());
    return true;
}
