/** The loops over memory of a transformer, in plain C: what `orrery calibrate` measures. All work
 * on fp32 rows and are cut by rows between threads. */
#ifndef KERN_HOST_LOOPS_H
#define KERN_HOST_LOOPS_H

#include <stddef.h>

/** exp(@x) to 2e-7 relative between -80 and 88, clamped outside. */
float kern_host_exp(float x);

/** y = x / rms(x) * w of each row. */
void kern_host_norm(const float *x, const float *w, float *y, size_t rows, size_t width);

/** dx of the norm. */
void kern_host_norm_input(const float *x, const float *w, const float *dy, float *dx, size_t rows,
                          size_t width);

/** dw of the norm, added to @dw. */
void kern_host_norm_weight(const float *x, const float *dy, float *dw, size_t rows, size_t width);

/** Softmax of @scale * row in place. Row i sees its first @seen + i * @step columns, at most
 *  @width; the others become 0. */
void kern_host_softmax(float *p, size_t rows, size_t width, size_t seen, size_t step, float scale);

/** @ds (in place of dp) = scale * p * (dp - sum(p * dp)). */
void kern_host_softmax_back(const float *p, float *dp, size_t rows, size_t width, float scale);

/** y = silu(gate) * up; a row of @x holds the gate and then the up part, @width each. */
void kern_host_gate(const float *x, float *y, size_t rows, size_t width);
void kern_host_gate_back(const float *x, const float *dy, float *dx, size_t rows, size_t width);

/** Rotates the pairs (j, j + head_dim / 2) of each of @heads heads of a row of @x in place, rows
 *  @stride apart, by the angles of @cosines and @sines (rows of head_dim / 2). @sign -1 undoes. */
void kern_host_rotate(float *x, const float *cosines, const float *sines, size_t rows,
                      size_t stride, size_t heads, size_t head_dim, float sign);

/** Copies @rows x @heads chunks of @head_dim between token order (rows @stride apart) and head
 * order (head after head, @rows rows each); @gather: from tokens to heads. */
void kern_host_transpose(float *tokens, float *by_head, size_t rows, size_t stride, size_t heads,
                         size_t head_dim, int gather);

/** y = a + b. */
void kern_host_add(const float *a, const float *b, float *y, size_t count);

#endif
