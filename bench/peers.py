"""What the models of bench/model.ts are compared with, as far as that is Python's.

    peers.py versions                    what is installed
    peers.py export CONFIG FOLDER        a RoBERTa of the sizes in CONFIG with random weights: as a checkpoint, as
                                         f32.onnx, as q8.onnx and as fused.onnx
    peers.py serve PEER FOLDER THREADS   answers on standard output what is asked on standard input, as peer-ours.ts does
"""

import gc
import json
import os
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TRANSFORMERS_VERBOSITY="error")

OPSET = 17


def say(**line):
    print(json.dumps(line), flush=True)


def ids_of(tokens):
    """The same in bench/shapes.ts."""
    return [3 + (i * i * 7 + i) % 30_000 for i in range(tokens)]


def versions():
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ["torch", "transformers", "onnx", "onnxruntime"]:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    say(python=sys.version.split()[0], **found)


def export(config_file, folder):
    import torch
    from transformers import RobertaConfig, RobertaModel

    with open(config_file) as file:
        sizes = json.load(file)
    del sizes["attention_window"]
    torch.manual_seed(1)
    config = RobertaConfig(**sizes, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5, attn_implementation="eager")
    model = RobertaModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():  # else all biases and norms are equal, and one tensor in the graph
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)

    class LastHiddenState(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids):
            return self.model(input_ids=input_ids).last_hidden_state

    f32 = os.path.join(folder, "f32.onnx")
    torch.onnx.export(
        LastHiddenState(), (torch.tensor([ids_of(64)]),), f32, input_names=["input_ids"], output_names=["last_hidden_state"],
        dynamic_axes={"input_ids": {1: "tokens"}, "last_hidden_state": {1: "tokens"}}, opset_version=OPSET, dynamo=False,
    )  # fmt: skip

    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(f32, os.path.join(folder, "q8.onnx"), weight_type=QuantType.QInt8)

    import onnx
    from onnxruntime.transformers import optimizer

    optimized = optimizer.optimize_model(
        f32, model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=0
    )  # fmt: skip
    fused = fuse_attention(optimized.model, config.num_attention_heads)
    onnx.save(fused, os.path.join(folder, "fused.onnx"))
    operators = [node.op_type for node in fused.graph.node if node.domain == "com.microsoft"]
    say(fused={name: operators.count(name) for name in sorted(set(operators))})


def fuse_attention(model, heads):
    """MatMul, Mul, Softmax and MatMul as MultiHeadAttention, which the optimizer finds only where there is a mask."""
    from onnx import helper

    graph = model.graph
    produced = {output: node for node in graph.node for output in node.output}
    consumers = {name: node for node in graph.node for name in node.input}

    def above(name):
        while produced[name].op_type in ("Transpose", "Reshape"):
            name = produced[name].input[0]
        return name

    for softmax in [node for node in graph.node if node.op_type == "Softmax"]:
        scaled = produced[softmax.input[0]]
        scores = produced[scaled.input[0]]
        end = context = consumers[softmax.output[0]]
        assert [scaled.op_type, scores.op_type, context.op_type] == ["Mul", "MatMul", "MatMul"]
        while consumers[end.output[0]].op_type in ("Transpose", "Reshape"):
            end = consumers[end.output[0]]
        inputs = [*map(above, scores.input), above(context.input[1])]
        fused = helper.make_node(
            "MultiHeadAttention", inputs, list(end.output), domain="com.microsoft", num_heads=heads
        )  # fmt: skip
        place = list(graph.node).index(end)
        graph.node.remove(end)
        graph.node.insert(place, fused)
    while True:
        used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
        unused = [node for node in graph.node if not used.intersection(node.output)]
        if not unused:
            return model
        for node in unused:
            graph.node.remove(node)


def load(peer, folder, threads):
    """A function from token ids to the hidden states, `[tokens, hidden_size]`; and what runs."""
    if peer.startswith("onnxruntime"):
        import numpy
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        file = os.path.join(folder, f"{peer.split()[-1]}.onnx")
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        run = lambda ids: session.run(None, {"input_ids": numpy.array([ids], dtype=numpy.int64)})[0][0]
        return run, f"onnxruntime {onnxruntime.__version__}"

    import torch
    import transformers

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    if peer == "longformer":
        model = transformers.LongformerModel.from_pretrained(folder, add_pooling_layer=False).eval()
    else:
        model = transformers.RobertaModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="sdpa").eval()

    def run(ids):
        given = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
        if peer == "longformer":
            given["global_attention_mask"] = torch.zeros(1, len(ids), dtype=torch.long)
            given["global_attention_mask"][0, 0] = 1
        return model(**given).last_hidden_state[0].numpy()

    return run, f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}"


def serve(peer, folder, threads):
    start = time.perf_counter()
    run, build = load(peer, folder, int(threads))
    gc.collect()
    say(ready=True, build=build, loadSeconds=time.perf_counter() - start, runtime=f"python {sys.version.split()[0]}")
    for line in sys.stdin:
        asked = json.loads(line)
        ids = ids_of(asked["tokens"])
        try:
            start = time.perf_counter()
            states = run(ids)
            seconds = time.perf_counter() - start
            if "output" in asked:
                states.tofile(asked["output"])
            say(seconds=seconds)
        except Exception as error:  # what it is goes to whoever asked
            say(error=f"{type(error).__name__}: {error}".splitlines()[0])


{"versions": versions, "export": export, "serve": serve}[sys.argv[1]](*sys.argv[2:])
