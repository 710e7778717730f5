/** Serving with round numbers: a pricer that is a straight line, requests from an array or drawn.
 */
#ifndef TOY_SERVE_H
#define TOY_SERVE_H

#include "strat_serve.h"

/** Seconds: of an iteration, of a token that it computes, of a token of context that a decode
 * reads, of a pair of prompt tokens, of the distance from the longest context to the mean. */
typedef struct ToyPricer {
    StratPricer base;
    double step_s, token_s, context_s, pair_s, skew_s;
    double stages; /* an iteration's time over its stage's; 0: 1 */
} ToyPricer;

/** A pricer with these five, to be kept on the stack. */
ToyPricer toy_pricer(double step_s, double token_s, double context_s);

/** Requests that are known from the start; @request, in order of arrival, is borrowed. */
StratSource *toy_source(const StratRequest *request, size_t requests, int64_t page_tokens);

/** @count requests that @draw makes one after another, so that none has to be kept. */
StratSource *toy_stream(int64_t count, StratRequest (*draw)(int64_t id, void *ctx), void *ctx,
                        int64_t page_tokens);

/** An engine like vLLM V1: blocks of 16, 8 sequences, 64 tokens, chunks, no prefix cache. */
StratEngine toy_engine(void);

/** A deployment of one replica of one GPU of @engine. */
StratDeployment toy_deployment(const StratEngine *engine);

/** What toy_serve() asks for, to be changed; @source is borrowed. */
StratServeSpec toy_serve_spec(const StratDeployment *deployment, const ToyPricer *pricer,
                              int64_t blocks, StratSource *source, bool exact);

/** Serves @source (freed) on @deployment with @blocks blocks in each replica; keeps outcomes. */
StratServeResult *toy_serve(const StratDeployment *deployment, const ToyPricer *pricer,
                            int64_t blocks, StratSource *source, bool exact);

#endif
