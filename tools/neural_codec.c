/* A voice through the neural codec in Opus 1.5: features, RDOVAE (the codec of deep redundancy), FARGAN (the vocoder).

   neural_codec LEVEL CHUNK < in.s16 > out.s16     16 kHz, mono, signed 16 bits in the byte order of the machine

   LEVEL: 0 (finest) to 15 (coarsest) step of the quantiser of RDOVAE, or -1 for the vocoder alone.
   CHUNK: quantised frames of 40 ms that are decoded in one go, backwards in time as the codec does, at most 100.

   It is linked against a build of Opus 1.5.2 (--enable-dred --enable-deep-plc): python -m tools.neural_codec */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_support.h"
#include "dred_rdovae_constants.h"
#include "dred_rdovae_dec.h"
#include "dred_rdovae_enc.h"
#include "dred_rdovae_enc_data.h"
#include "dred_rdovae_stats_data.h"
#include "fargan.h"
#include "lpcnet.h"
#include "lpcnet_private.h"

#define FRAME LPCNET_FRAME_SIZE
#define QFRAME 4 /* frames of 10 ms that one latent stands for */
#define WARM 5   /* frames that the vocoder wants before it speaks */
#define MOST_CHUNK 100

static void *must(void *p) {
  if (p == NULL) { fprintf(stderr, "out of memory\n"); exit(1); }
  return p;
}

/* The quantiser with a dead zone of dred_encode_latents (dnn/dred_encoder.c), without its entropy coding. */
static void quantised(float *x, int dim, int level, const opus_uint8 *scale, const opus_uint8 *dzone,
                      const opus_uint8 *r, const opus_uint8 *p0) {
  int i;
  for (i = 0; i < dim; i++) {
    int k = level * dim + i;
    float delta = dzone[k] / 256.f, xq = x[i] * scale[k] / 256.f;
    xq -= delta * tanhf(xq / (delta + .1f));
    x[i] = r[k] == 0 || p0[k] == 255 || scale[k] == 0 ? 0.f : floorf(.5f + xq) * 256.f / scale[k];
  }
}

/* In place: features of n frames (a multiple of QFRAME) through the quantised latents and back. */
static void through_rdovae(float *features, int n, int level, int chunk, int arch) {
  RDOVAEEnc encoder;
  RDOVAEDec decoder;
  RDOVAEEncState *state = must(calloc(1, sizeof(*state)));
  int q, count = n / QFRAME;
  float *latents = must(calloc(count, DRED_LATENT_DIM * sizeof(float)));
  float *starts = must(calloc(count, DRED_STATE_DIM * sizeof(float)));
  if (init_rdovaeenc(&encoder, rdovaeenc_arrays) != 0 || init_rdovaedec(&decoder, rdovaedec_arrays) != 0) {
    fprintf(stderr, "this build of Opus has no weights of RDOVAE\n");
    exit(1);
  }
  for (q = 0; q < count; q++) {
    int half;
    /* Two frames at a time; of the two answers the later one says all four. */
    for (half = 0; half < 2; half++) {
      dred_rdovae_encode_dframe(state, &encoder, latents + q * DRED_LATENT_DIM, starts + q * DRED_STATE_DIM,
                                features + (QFRAME * q + 2 * half) * NB_FEATURES, arch);
    }
    quantised(latents + q * DRED_LATENT_DIM, DRED_LATENT_DIM, level, dred_latent_quant_scales_q8,
              dred_latent_dead_zone_q8, dred_latent_r_q8, dred_latent_p0_q8);
    quantised(starts + q * DRED_STATE_DIM, DRED_STATE_DIM, level, dred_state_quant_scales_q8,
              dred_state_dead_zone_q8, dred_state_r_q8, dred_state_p0_q8);
  }
  for (q = 0; q < count; q += chunk) {
    RDOVAEDecState back;
    int last = q + chunk < count ? q + chunk : count, i;
    memset(&back, 0, sizeof(back));
    dred_rdovae_dec_init_states(&back, &decoder, starts + (last - 1) * DRED_STATE_DIM, arch);
    for (i = last - 1; i >= q; i--) {
      float reversed[QFRAME * NB_FEATURES];
      int k;
      dred_rdovae_decode_qframe(&back, &decoder, reversed, latents + i * DRED_LATENT_DIM, arch);
      for (k = 0; k < QFRAME; k++) {
        memcpy(features + (QFRAME * i + k) * NB_FEATURES, reversed + (QFRAME - 1 - k) * NB_FEATURES,
               NB_FEATURES * sizeof(float));
      }
    }
  }
  free(starts);
  free(latents);
  free(state);
}

int main(int argc, char **argv) {
  int level, chunk, n = 0, room = 0, arch = opus_select_arch(), i;
  float *features = NULL, silence[FARGAN_CONT_SAMPLES] = {0};
  opus_int16 pcm[FRAME];
  LPCNetEncState *analysis;
  FARGANState *vocoder = must(malloc(sizeof(*vocoder)));
  if (argc != 3 || (level = atoi(argv[1])) < -1 || level > 15 || (chunk = atoi(argv[2])) < 1 || chunk > MOST_CHUNK) {
    fprintf(stderr, "neural_codec LEVEL CHUNK < in.s16 > out.s16   (LEVEL -1 to 15, CHUNK 1 to %d)\n", MOST_CHUNK);
    return 2;
  }
  analysis = must(lpcnet_encoder_create());
  while (fread(pcm, sizeof(*pcm), FRAME, stdin) == FRAME) {
    float all[NB_TOTAL_FEATURES];
    if (n + 1 > room) {
      room = room ? 2 * room : 1024;
      features = must(realloc(features, room * NB_FEATURES * sizeof(float)));
    }
    lpcnet_compute_single_frame_features(analysis, pcm, all, arch);
    memcpy(features + NB_FEATURES * n++, all, NB_FEATURES * sizeof(float));
  }
  lpcnet_encoder_destroy(analysis);
  n -= n % QFRAME;
  if (n <= WARM) { fprintf(stderr, "less sound than the codec needs\n"); return 1; }
  if (level >= 0) through_rdovae(features, n, level, chunk, arch);
  fargan_init(vocoder);
  fargan_cont(vocoder, silence, features);
  for (i = WARM; i < n; i++) {
    float made[FRAME];
    int k;
    fargan_synthesize(vocoder, made, features + NB_FEATURES * i);
    for (k = 0; k < FRAME; k++) {
      float x = 32768.f * made[k];
      pcm[k] = (opus_int16)floorf(.5f + (x > 32767 ? 32767 : x < -32767 ? -32767 : x));
    }
    if (fwrite(pcm, sizeof(*pcm), FRAME, stdout) != FRAME) return 1;
  }
  free(features);
  free(vocoder);
  return 0;
}
