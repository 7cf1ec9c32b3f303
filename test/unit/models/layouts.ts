/** Files of a published inpainting model in diffusers' layout; the weights are a few bytes, which the library never opens. */
export const layoutFiles = {
  'model_index.json': Buffer.from('{"_class_name": "StableDiffusionInpaintPipeline"}'),
  'scheduler/scheduler_config.json': Buffer.from('{"prediction_type": "epsilon", "steps_offset": 1}'),
  'text_encoder/config.json': Buffer.from('{"hidden_size": 768}'),
  'text_encoder/model.safetensors': Buffer.from('text weights'),
  'vae/config.json': Buffer.from('{"latent_channels": 4, "block_out_channels": [1, 2, 3, 4]}'),
  'vae/diffusion_pytorch_model.safetensors': Buffer.from('vae weights'),
  'unet/config.json': Buffer.from('{"in_channels": 9, "cross_attention_dim": 768, "sample_size": 64}'),
  'unet/diffusion_pytorch_model.safetensors': Buffer.from('unet weights'),
} as const
