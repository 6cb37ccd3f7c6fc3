no answer is due
