"""attack"""
from app import state
state.page_head('attack')
state.page_foot()
