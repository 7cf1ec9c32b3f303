"""A reference set on its way to disk: arrays with the names that the cases share, and the cases that say what they are."""
import json
import os

import torch
from safetensors.torch import save_file

DTYPES = {torch.float32: 'float32', torch.int32: 'int32', torch.uint8: 'uint8'}
NETWORK = {'atol': 1e-4, 'rtol': 1e-4}


class Writer:
    def __init__(self, folder, kind, about, extra=None):
        self.folder, self.head = folder, {'format': 1, 'set': kind, 'about': about, **(extra or {})}
        self.arrays, self.cases = {}, []
        os.makedirs(folder, exist_ok=True)

    def describe(self, key, tensor):
        tensor = tensor.detach().contiguous()
        if tensor.dtype not in DTYPES:
            tensor = tensor.float()
        if not torch.isfinite(tensor.float()).all():
            raise ValueError(f'{key}: not finite')
        # Keys are shared by cases that take the same input; a clone, for safetensors refuses tensors that share memory.
        self.arrays[key] = tensor.clone()
        return {'key': key, 'shape': list(tensor.shape), 'dtype': DTYPES[tensor.dtype]}

    def case(self, name, computes, inputs, outputs, params=None, tolerance=None, without=None):
        """without: {what is left out: the outputs then}; each must move some output by far more than the tolerance, so that a passing engine has it."""
        tolerance = tolerance or NETWORK
        sensitivity = []
        for change, others in (without or {}).items():
            far = max((others[key] - outputs[key]).abs().max().item() / (tolerance['atol'] + tolerance['rtol'] * outputs[key].abs().max().item()) for key in others)
            if far < 5:
                raise ValueError(f'{name}: leaving out {change} moves the output by {far:.2f} tolerances only')
            sensitivity.append({'change': change, 'tolerances': round(far, 1)})
        self.cases.append({
            'name': name, 'computes': computes, 'params': params or {},
            'inputs': {key: self.describe(f'{name}.input.{key}', value) for key, value in inputs.items()},
            'outputs': {key: self.describe(f'{name}.output.{key}', value) for key, value in outputs.items()},
            'tolerance': tolerance, 'sensitivity': sensitivity,
        })

    def close(self):
        save_file(self.arrays, os.path.join(self.folder, 'cases.safetensors'))
        write_json(os.path.join(self.folder, 'cases.json'), {**self.head, 'cases': self.cases})


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as out:
        json.dump(value, out, indent=1)
        out.write('\n')
