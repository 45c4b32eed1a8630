//! Models that are paid by the token.

use crate::{
    checks,
    detector::{Detector, around, assigned, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    around(
        "secret/openai-key",
        "OpenAI API key",
        &["t3blbkfj"],
        110,
        "sk-(?:(?:proj|svcacct|admin|None)-(?:[0-9A-Za-z_-]{74}|[0-9A-Za-z_-]{58}|[0-9A-Za-z_-]{20})|[0-9A-Za-z]{20})T3BlbkFJ(?:[0-9A-Za-z_-]{74}|[0-9A-Za-z_-]{58}|[0-9A-Za-z]{20})",
    )
    .critical()
    .url_safe()
    .finds(&["OPENAI_API_KEY=sk-proj-<url:74>T3BlbkFJ<url:74>"])
    .passes(&["OPENAI_API_KEY=sk-proj-<url:20>", "sk-<b62:8>T3BlbkFJ<b62:8>"]),
    token(
        "secret/anthropic-key",
        "Anthropic API key",
        &["sk-ant-"],
        "sk-ant-(?:api|admin|oat|ort)[0-9]{2}-[0-9A-Za-z_-]{80,100}AA",
    )
    .critical()
    .url_safe()
    .finds(&["ANTHROPIC_API_KEY=sk-ant-api03-<url:93>AA"])
    .passes(&[
        "ANTHROPIC_API_KEY=sk-ant-api03-<url:31>AA",
        "ANTHROPIC_API_KEY=sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxAA",
    ]),
    token(
        "secret/huggingface-token",
        "Hugging Face token",
        &["hf_"],
        "hf_[A-Za-z]{34}",
    )
    .entropy(3.6)
    .finds(&["HF_TOKEN=hf_<abc:34>"])
    .passes(&["HF_TOKEN=hf_<abc:11>", "HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/huggingface-org-token",
        "Hugging Face organisation token",
        &["api_org_"],
        "api_org_[A-Za-z]{34}",
    )
    .entropy(3.6)
    .finds(&["HF_TOKEN=api_org_<abc:34>"])
    .passes(&[
        "HF_TOKEN=api_org_<abc:11>",
        "HF_TOKEN=api_org_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/groq-key",
        "Groq API key",
        &["gsk_"],
        "gsk_[0-9A-Za-z]{52}",
    )
    .finds(&["GROQ_API_KEY=gsk_<b62:52>"])
    .passes(&[
        "GROQ_API_KEY=gsk_<b62:17>",
        "GROQ_API_KEY=gsk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/xai-key",
        "xAI API key",
        &["xai-"],
        "xai-(?:token-)?[0-9A-Za-z]{80}",
    )
    .finds(&["XAI_API_KEY=xai-<b62:80>"])
    .passes(&[
        "XAI_API_KEY=xai-<b62:26>",
        "XAI_API_KEY=xai-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/perplexity-key",
        "Perplexity API key",
        &["pplx-"],
        "pplx-[0-9A-Za-z]{48}",
    )
    .finds(&["PERPLEXITY_API_KEY=pplx-<b62:48>"])
    .passes(&[
        "PERPLEXITY_API_KEY=pplx-<b62:16>",
        "PERPLEXITY_API_KEY=pplx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/openrouter-key",
        "OpenRouter API key",
        &["sk-or-v1-"],
        "sk-or-v1-[0-9a-f]{64}",
    )
    .finds(&["OPENROUTER_API_KEY=sk-or-v1-<hex:64>"])
    .passes(&[
        "OPENROUTER_API_KEY=sk-or-v1-<hex:21>",
        "OPENROUTER_API_KEY=sk-or-v1-0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/replicate-token",
        "Replicate token",
        &["r8_"],
        "r8_[0-9A-Za-z]{37}",
    )
    .finds(&["REPLICATE_API_TOKEN=r8_<b62:37>"])
    .passes(&[
        "REPLICATE_API_TOKEN=r8_<b62:12>",
        "REPLICATE_API_TOKEN=r8_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/fireworks-key",
        "Fireworks AI key",
        &["fw_"],
        "fw_[0-9A-Za-z]{22,24}",
    )
    .likely()
    .check(checks::no_word)
    .finds(&["FIREWORKS_API_KEY=fw_<b62:24>"])
    .passes(&["FIREWORKS_API_KEY=fw_<b62:8>", "FIREWORKS_API_KEY=fw_xxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/nvidia-key",
        "NVIDIA API key",
        &["nvapi-"],
        "nvapi-[0-9A-Za-z_-]{60,70}",
    )
    .url_safe()
    .finds(&["NVIDIA_API_KEY=nvapi-<url:64>"])
    .passes(&[
        "NVIDIA_API_KEY=nvapi-<url:21>",
        "NVIDIA_API_KEY=nvapi-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/langsmith-key",
        "LangSmith API key",
        &["lsv2_"],
        "lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
    )
    .finds(&["LANGSMITH_API_KEY=lsv2_pt_<hex:32>_<hex:10>"])
    .passes(&[
        "LANGSMITH_API_KEY=lsv2_pt_<hex:10>_<hex:10>",
        "LANGSMITH_API_KEY=lsv2_pt_00000000000000000000000000000000_<hex:10>",
    ]),
    token(
        "secret/langfuse-key",
        "Langfuse secret key",
        &["sk-lf-"],
        "sk-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["LANGFUSE_SECRET_KEY=sk-lf-<uuid>"])
    .passes(&["sk-lf-00000000-0000-0000-0000-000000000000"]),
    token(
        "secret/tavily-key",
        "Tavily API key",
        &["tvly-"],
        "tvly-(?:dev-|prod-)?[0-9A-Za-z]{32}",
    )
    .finds(&["TAVILY_API_KEY=tvly-<b62:32>"])
    .passes(&[
        "TAVILY_API_KEY=tvly-<b62:10>",
        "TAVILY_API_KEY=tvly-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/pinecone-key",
        "Pinecone API key",
        &["pcsk_"],
        "pcsk_[0-9A-Za-z]{5,6}_[0-9A-Za-z]{63}",
    )
    .finds(&["PINECONE_API_KEY=pcsk_<b62:6>_<b62:63>"])
    .passes(&[
        "PINECONE_API_KEY=pcsk_<b62:6>_<b62:21>",
        "PINECONE_API_KEY=pcsk_<b62:6>_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/e2b-key",
        "E2B API key",
        &["e2b_"],
        "e2b_[0-9a-f]{40}",
    )
    .finds(&["E2B_API_KEY=e2b_<hex:40>"])
    .passes(&[
        "E2B_API_KEY=e2b_<hex:13>",
        "E2B_API_KEY=e2b_0000000000000000000000000000000000000000",
    ]),
    token(
        "secret/elevenlabs-key",
        "ElevenLabs API key (with its name)",
        &["elevenlabs", "eleven_api", "xi-api-key"],
        r#"(?i:(?:elevenlabs|eleven)[a-z_]{0,12}key|xi-api-key)["\x27 ]{0,3}[=:]["\x27 ]{0,3}(sk_[0-9a-f]{48})"#,
    )
    .finds(&["ELEVENLABS_API_KEY=sk_<hex:48>"])
    .passes(&[
        "ELEVENLABS_API_KEY=sk_<hex:16>",
        "ELEVENLABS_API_KEY=sk_000000000000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/cohere-key",
        "Cohere API key",
        &["cohere", "co_api_key"],
        "[0-9A-Za-z]{40}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["COHERE_KEY=<b62:40>"])
    .passes(&["COHERE_KEY=<b62:13>", "COHERE_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/mistral-key",
        "Mistral API key",
        &["mistral"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["MISTRAL_KEY=<b62:32>"])
    .passes(&["MISTRAL_KEY=<b62:10>", "MISTRAL_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/deepseek-key",
        "DeepSeek API key",
        &["deepseek"],
        "sk-[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["DEEPSEEK_KEY=sk-<hex:32>"])
    .passes(&["DEEPSEEK_KEY=sk-<hex:10>", "DEEPSEEK_KEY=sk-00000000000000000000000000000000"]),
    assigned(
        "secret/together-key",
        "Together AI API key",
        &["together_api", "togetherai"],
        "[0-9a-f]{64}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["TOGETHER_API_KEY=<hex:64>"])
    .passes(&[
        "TOGETHER_API_KEY=<hex:21>",
        "TOGETHER_API_KEY=0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/assemblyai-key",
        "AssemblyAI API key",
        &["assemblyai", "assembly_ai"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["ASSEMBLYAI_KEY=<hex:32>"])
    .passes(&["ASSEMBLYAI_KEY=<hex:10>", "ASSEMBLYAI_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/deepgram-key",
        "Deepgram API key",
        &["deepgram"],
        "[0-9a-f]{40}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["DEEPGRAM_KEY=<hex:40>"])
    .passes(&["DEEPGRAM_KEY=<hex:13>", "DEEPGRAM_KEY=0000000000000000000000000000000000000000"]),
    assigned(
        "secret/stability-key",
        "Stability AI API key",
        &["stability_"],
        "sk-[0-9A-Za-z]{48}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["STABILITY_KEY=sk-<b62:48>"])
    .passes(&[
        "STABILITY_KEY=sk-<b62:16>",
        "STABILITY_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/wandb-key",
        "Weights & Biases API key",
        &["wandb"],
        "[0-9a-f]{40}",
    )
    .check(checks::mixed)
    .entropy(3.0)
    .finds(&["WANDB_KEY=<hex:40>"])
    .passes(&["WANDB_KEY=<hex:13>", "WANDB_KEY=0000000000000000000000000000000000000000"]),
];
